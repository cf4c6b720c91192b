// SPDX-License-Identifier: Apache-2.0
#include "home/passphrase.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/descriptor.h"

namespace fiducia::home {
namespace {

Result<std::string> checked(std::string text) {
  if (const std::size_t end = text.find_first_of("\r\n"); end != std::string::npos)
    text.resize(end);
  if (text.empty() || text.size() > limits::passphrase_bytes_max)
    return fail(ErrorCode::config_invalid, "A pass phrase has 1 to 1000 bytes on one line.",
                "Give another one.");
  return text;
}

Result<std::string> from_file(const std::filesystem::path& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 07) != 0)
    return fail(ErrorCode::config_invalid, "everybody may use this pass phrase.",
                "Give it mode 0600.", Location{.file = path.string()});
  FIDUCIA_TRY(bytes, read_file(path, 2 * limits::passphrase_bytes_max));
  auto text = checked(std::string{as_text(bytes)});
  wipe(bytes);
  if (!text) text.error().where.file = path.string();
  return text;
}

std::optional<std::filesystem::path> find_credential() {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) return std::nullopt;
  const std::filesystem::path path = std::filesystem::path{folder} / "fiducia.passphrase";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return path;
}

/// Asks at the terminal, whatever standard input is, without showing what is typed.
Result<std::string> ask_for(const char* question) {
  const Descriptor terminal{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  struct termios shown = {};
  if (!terminal.valid() || ::tcgetattr(terminal.value(), &shown) != 0)
    return fail(ErrorCode::config_missing, "The keys are encrypted, and no pass phrase was given.",
                "Name a file that has it with --passphrase-file, or pass the systemd credential "
                "fiducia.passphrase.");
  struct termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  const auto say = [&](std::string_view text) {
    return ::write(terminal.value(), text.data(), text.size()) >= 0;
  };
  static_cast<void>(say(question));
  static_cast<void>(::tcsetattr(terminal.value(), TCSAFLUSH, &hidden));
  std::string text;
  char c = 0;
  while (text.size() <= limits::passphrase_bytes_max && ::read(terminal.value(), &c, 1) == 1 &&
         c != '\n')
    text += c;
  static_cast<void>(::tcsetattr(terminal.value(), TCSAFLUSH, &shown));
  static_cast<void>(say("\n"));
  return checked(std::move(text));
}

}  // namespace

Result<std::string> read_passphrase(const std::string& file) {
  if (!file.empty()) return from_file(file);
  if (const auto credential = find_credential()) return from_file(*credential);
  return ask_for("Pass phrase of the keys: ");
}

Result<std::optional<std::string>> read_new_passphrase(const std::string& file, bool ask) {
  if (!file.empty() || (!ask && find_credential())) {
    FIDUCIA_TRY(text, read_passphrase(file));
    return std::optional<std::string>{std::move(text)};
  }
  if (!ask) return std::optional<std::string>{};
  FIDUCIA_TRY(first, ask_for("New pass phrase for the keys: "));
  FIDUCIA_TRY(second, ask_for("The same again: "));
  if (first != second)
    return fail(ErrorCode::usage_invalid, "The two pass phrases differ.", "Begin again.");
  return std::optional<std::string>{std::move(first)};
}

}  // namespace fiducia::home
