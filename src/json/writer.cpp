// SPDX-License-Identifier: Apache-2.0
#include "json/writer.h"

#include "core/text.h"
#include "core/visible.h"

namespace fiducia::json {
namespace {

/// `\uXXXX`, as a surrogate pair past the basic plane (RFC 8259 section 7).
void append_unicode_escape(std::string& to, char32_t code_point) {
  const auto unit = [&](char32_t value) {
    to += "\\u";
    append_hex(to, value, 4);
  };
  if (code_point <= 0xFFFF) return unit(code_point);
  unit(0xD800 + ((code_point - 0x10000) >> 10));
  unit(0xDC00 + ((code_point - 0x10000) & 0x3FF));
}

}  // namespace

void Writer::key(std::string_view name) {
  comma();
  quote(name);
  out_ += ':';
  needs_comma_ = false;
}

void Writer::text(std::string_view value) {
  comma();
  quote(value);
}

void Writer::quote(std::string_view value) {
  out_ += '"';
  for (std::size_t offset = 0; offset < value.size();) {
    const Utf8Character c = read_utf8(value, offset);
    if (!c.is_valid) {
      out_ += "\xEF\xBF\xBD";  // U+FFFD: JSON cannot carry other bytes
    } else if (c.code_point == '"' || c.code_point == '\\') {
      out_ += '\\';
      out_ += static_cast<char>(c.code_point);
    } else if (c.code_point == '\n') {
      out_ += "\\n";
    } else if (c.code_point == '\t') {
      out_ += "\\t";
    } else if (is_invisible(c.code_point)) {
      append_unicode_escape(out_, c.code_point);
    } else {
      out_ += value.substr(offset, c.length_bytes);
    }
    offset += c.length_bytes;
  }
  out_ += '"';
}

}  // namespace fiducia::json
