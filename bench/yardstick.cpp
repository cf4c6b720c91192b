// SPDX-License-Identifier: Apache-2.0
// How long a compiler takes for this file says how fast a machine is: scripts/test prints it, and
// docs/performance.md gives times of builds and tests as multiples of it. Never change this file.
#include <algorithm>
#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <regex>
#include <string>
#include <variant>
#include <vector>

namespace {

using Value = std::variant<int, double, std::string, std::vector<std::string>>;

std::expected<std::map<std::string, Value>, std::string> read_values(const std::string& text) {
  std::map<std::string, Value> values;
  const std::regex line("([a-z]+) *= *(.*)");
  for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) {
    const std::string value = (*at)[2];
    if (value.empty()) return std::unexpected("no value for " + (*at)[1].str());
    if (value.find(',') != std::string::npos) {
      std::vector<std::string> parts;
      const std::regex comma(",");
      std::copy(std::sregex_token_iterator(value.begin(), value.end(), comma, -1), {},
                std::back_inserter(parts));
      values[(*at)[1]] = parts;
    } else if (std::all_of(value.begin(), value.end(),
                           [](char c) { return c >= '0' && c <= '9'; })) {
      values[(*at)[1]] = std::stoi(value);
    } else {
      values[(*at)[1]] = value;
    }
  }
  return values;
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937_64 prng{static_cast<std::uint64_t>(argc)};
  std::vector<std::filesystem::path> paths(argv, argv + argc);
  std::ranges::shuffle(paths, prng);
  std::ranges::sort(paths, std::greater{}, [](const auto& path) { return path.extension(); });
  const auto values = read_values(paths.front().string());
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return values ? static_cast<int>(values->size()) : static_cast<int>(now.count() % 2);
}
