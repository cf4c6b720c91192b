// SPDX-License-Identifier: Apache-2.0
#include "home/home_file.h"

#include <algorithm>
#include <array>

namespace fiducia::home {
namespace {

constexpr std::string_view version = "1";

std::unexpected<Error> bad(const std::string& file, std::size_t line, const std::string& what) {
  return fail(ErrorCode::config_invalid, "line " + std::to_string(line) + ": " + what,
              "Fix the file there.", Location{.file = file});
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Whether what follows a value is nothing or a comment.
bool ends_there(std::string_view rest) {
  rest = trimmed(rest);
  return rest.empty() || rest.front() == '#';
}

std::optional<std::uint32_t> hex_value(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    const std::size_t digit = std::string_view{"0123456789abcdef"}.find(
        c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0 | code_point >> 6);
    byte(0x80 | (code_point & 0x3F));
  } else {
    byte(0xE0 | code_point >> 12);
    byte(0x80 | (code_point >> 6 & 0x3F));
    byte(0x80 | (code_point & 0x3F));
  }
}

/// Reads a basic string at the front of `text` and takes it off; absent when it is not one.
std::optional<std::string> take_string(std::string_view& text) {
  if (!text.starts_with('"')) return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return out;
    }
    if (c != '\\') {
      out += c;
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    switch (text[i]) {
      case '"':
      case '\\':
        out += text[i];
        break;
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'u': {
        if (text.size() - i < 5) return std::nullopt;
        const auto code_point = hex_value(text.substr(i + 1, 4));
        if (!code_point || (*code_point >= 0xD800 && *code_point < 0xE000)) return std::nullopt;
        append_utf8(out, *code_point);
        i += 4;
        break;
      }
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

Status read_entry(std::string_view line, HomeFile& home, std::array<bool, 5>& seen,
                  const std::string& file, std::size_t number) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return bad(file, number, "`key = value` was expected.");
  const std::string_view key = trimmed(line.substr(0, equals));
  std::string_view rest = trimmed(line.substr(equals + 1));
  constexpr std::array<std::string_view, 5> keys{"version", "hospital", "default_device",
                                                 "ledger_origin", "store"};
  const auto found = std::ranges::find(keys, key);
  if (found == keys.end()) return bad(file, number, "this key is not known here.");
  const auto index = static_cast<std::size_t>(found - keys.begin());
  if (std::exchange(seen[index], true)) return bad(file, number, "this key is there twice.");
  if (index == 0) {
    if (!rest.starts_with(version) || !ends_there(rest.substr(version.size())))
      return fail(ErrorCode::config_invalid, "is of a version that this program does not know.",
                  "Use the program that made this home, or a later one.", Location{.file = file});
    return {};
  }
  auto value = take_string(rest);
  if (!value || !ends_there(rest) || !is_utf8(*value) || value->empty())
    return bad(file, number, "a string in quotation marks was expected, and nothing after it.");
  std::string* const targets[] = {&home.hospital, &home.default_device, &home.ledger_origin,
                                  &home.store};
  *targets[index - 1] = std::move(*value);
  return {};
}

}  // namespace

Result<HomeFile> read_home_file(std::string_view toml, const std::string& name) {
  HomeFile home;
  std::array<bool, 5> seen{};
  bool in_table = false;
  std::size_t number = 0;
  while (!toml.empty()) {
    ++number;
    const std::size_t end = toml.find('\n');
    const std::string_view line = trimmed(toml.substr(0, end));
    toml.remove_prefix(end == std::string_view::npos ? toml.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      if (in_table || !line.starts_with("[home]") || !ends_there(line.substr(6)))
        return bad(name, number, "only one table [home] belongs here.");
      in_table = true;
      continue;
    }
    if (!in_table) return bad(name, number, "a key stands before the table [home].");
    FIDUCIA_CHECK(read_entry(line, home, seen, name, number));
  }
  for (const bool present : seen)
    if (!present)
      return bad(name, number,
                 "version, hospital, default_device, ledger_origin and store must be there.");
  return home;
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      const std::byte byte{static_cast<unsigned char>(c)};
      out += "\\u00" + to_hex(std::span{&byte, 1});
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string write_home_file(const HomeFile& home) {
  return "# A Fiducia home: keys, certificates, trust file, ledger and evidence store.\n"
         "# Made by `fiducia init`. Back up this whole folder; keep keys/ secret.\n"
         "[home]\n"
         "version = 1\n"
         "hospital = " +
         toml_string(home.hospital) +
         "\n"
         "# Who seals when --device is not given.\n"
         "default_device = " +
         toml_string(home.default_device) +
         "\n"
         "# The name of the ledger in its checkpoints; it must never change.\n"
         "ledger_origin = " +
         toml_string(home.ledger_origin) +
         "\n"
         "# Which evidence store belongs to this home (`fiducia store accept` takes another).\n"
         "store = " +
         toml_string(home.store) + "\n";
}

}  // namespace fiducia::home
