// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

/// What CLI11 does not say of a wrong command line: which word is wrong, and what was meant.
namespace fiducia::cli {

/// What is wrong with the words of `arguments` that have to name a command of `app` or of one of
/// its commands, as a sentence without its full stop. The names are those that `app` knows.
[[nodiscard]] std::optional<std::string> find_wrong_command(const CLI::App& app,
                                                            std::span<const std::string> arguments);

/// The same of an option that neither `app` nor the commands that were called have.
[[nodiscard]] std::optional<std::string> find_wrong_option(const CLI::App& app,
                                                           std::span<const std::string> arguments);

/// "fiducia device add": `app` and the commands that `arguments` name, as people write them.
[[nodiscard]] std::string spoken_command(const CLI::App& app,
                                         std::span<const std::string> arguments);

/// The one of `names` that somebody who typed `word` will have meant; "" when none is close.
[[nodiscard]] std::string_view find_nearest(std::string_view word,
                                            std::span<const std::string> names);

}  // namespace fiducia::cli
