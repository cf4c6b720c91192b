// SPDX-License-Identifier: Apache-2.0
#include "cli/wrong_command.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <CLI/CLI.hpp>

namespace fiducia::cli {
namespace {

std::string listed_names(std::span<const std::string> names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i)
    list += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return list;
}

/// Letters to insert, drop, replace, or swap with their neighbour.
std::size_t typing_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> now(b.size() + 1);
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] =
          std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    before = std::exchange(last, std::move(now));
  }
  return last.back();
}

std::vector<std::string> names_below(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* below : app.get_subcommands({}))
    if (!below->get_group().empty()) names.push_back(below->get_name());  // the others are hidden
  return names;
}

/// `app` and the commands that `arguments` name, each a command of the one before.
std::vector<const CLI::App*> called_commands(const CLI::App& app,
                                             std::span<const std::string> arguments) {
  std::vector<const CLI::App*> called{&app};
  for (const std::string& word : arguments) {
    const auto below = called.back()->get_subcommands({});
    const auto found = std::ranges::find(below, word, &CLI::App::get_name);
    if (found == below.end()) break;
    called.push_back(*found);
  }
  return called;
}

bool asks_for_help(std::string_view word) {
  return word == "--help" || word == "-h" || word == "--version";
}

}  // namespace

std::string_view find_nearest(std::string_view word, std::span<const std::string> names) {
  constexpr std::size_t longest = 64;  // nobody mistypes more than that
  if (word.size() > longest) return {};
  std::string_view nearest;
  std::size_t best = 1 + word.size() / 3;
  for (const std::string& name : names) {
    const bool is_begun = word.size() > 1 && name.starts_with(word);
    const std::size_t distance = is_begun ? 1 : typing_distance(word, name);
    if (distance > best || (distance == best && !nearest.empty())) continue;
    best = distance;
    nearest = name;
  }
  return nearest;
}

std::string spoken_command(const CLI::App& app, std::span<const std::string> arguments) {
  std::string spoken;
  for (const CLI::App* called : called_commands(app, arguments))
    spoken += (spoken.empty() ? "" : " ") + called->get_name();
  return spoken;
}

std::optional<std::string> find_wrong_command(const CLI::App& app,
                                              std::span<const std::string> arguments) {
  const std::vector<const CLI::App*> called = called_commands(app, arguments);
  const std::vector<std::string> names = names_below(*called.back());
  if (names.empty()) return std::nullopt;
  const std::string spoken = spoken_command(app, arguments);
  if (called.size() > arguments.size())
    return "`" + spoken + "` needs one of its commands: " + listed_names(names);
  const std::string& word = arguments[called.size() - 1];
  if (asks_for_help(word)) return std::nullopt;
  if (word.starts_with('-')) return "Options follow the command: \"" + word + "\" stands before it";
  const std::string_view nearest = find_nearest(word, names);
  return "\"" + word + "\" is not a command of `" + spoken + "`: those are " + listed_names(names) +
         (nearest.empty() ? "" : "; the nearest is `" + std::string(nearest) + "`");
}

std::optional<std::string> find_wrong_option(const CLI::App& app,
                                             std::span<const std::string> arguments) {
  const std::vector<const CLI::App*> called = called_commands(app, arguments);
  std::vector<std::string> names;
  for (const CLI::App* command : called)
    for (const CLI::Option* option : command->get_options({}))
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  for (const std::string& argument : arguments.subspan(called.size() - 1)) {
    if (argument == "--") break;
    const std::string word = argument.substr(0, argument.find('='));
    if (!word.starts_with("--") || std::ranges::find(names, word) != names.end()) continue;
    const std::string_view nearest = find_nearest(word, names);
    return "\"" + word + "\" is not an option of `" + spoken_command(app, arguments) + "`" +
           (nearest.empty() ? "" : "; the nearest is `" + std::string(nearest) + "`");
  }
  return std::nullopt;
}

}  // namespace fiducia::cli
