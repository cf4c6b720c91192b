// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace fiducia::json {

/// Writes one JSON value on one line, members in the order of the calls (RFC 8259).
///
/// The output is always UTF-8 and safe to print: bytes that are no UTF-8 become U+FFFD, control
/// and bidirectional characters are escaped. A library would sort members or cost more compile
/// time than these lines. Balance of open and close is the caller's.
class Writer {
 public:
  void open_object() { open('{'); }
  void close_object() { close('}'); }
  void open_array() { open('['); }
  void close_array() { close(']'); }
  /// Names the next value.
  void key(std::string_view name);
  void text(std::string_view value);
  template <std::unsigned_integral Count>
    requires(!std::same_as<Count, bool>)
  void number(Count value) {
    comma();
    out_ += std::to_string(value);
  }
  void boolean(bool value) {
    comma();
    out_ += value ? "true" : "false";
  }
  void member(std::string_view name, std::string_view value) {
    key(name);
    text(value);
  }
  template <std::unsigned_integral Count>
    requires(!std::same_as<Count, bool>)
  void member(std::string_view name, Count value) {
    key(name);
    number(value);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void open(char bracket) {
    comma();
    out_ += bracket;
    needs_comma_ = false;
  }
  void close(char bracket) {
    out_ += bracket;
    needs_comma_ = true;
  }
  void comma() {
    if (needs_comma_) out_ += ',';
    needs_comma_ = true;
  }
  void quote(std::string_view value);

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace fiducia::json
