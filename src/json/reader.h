// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/limits.h"

namespace fiducia::json {

/// A number as it stands in the text, so that none is rounded unless its reader asks for it.
class Number {
 public:
  /// `text` is a number by the grammar of RFC 8259 section 6.
  explicit Number(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& text() const { return text_; }
  /// Exactly, where it is written without fraction and exponent and T holds it; absent otherwise.
  [[nodiscard]] std::optional<std::uint64_t> unsigned_integer() const;
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  /// The double nearest to it.
  [[nodiscard]] double real() const;
  bool operator==(const Number&) const = default;

 private:
  std::string text_;
};

struct Member;
struct Value;

/// The members of an object in the order of the text. No two have the same name.
struct Object {
  std::vector<Member> members;
  /// Null when there is no such member. Borrows from the object.
  [[nodiscard]] const Value* find(std::string_view name) const;
};

/// One value. Each accessor gives null when the value is of another kind. Two values are not
/// compared: whether 1 and 1.0 are the same is for their reader to say.
struct Value {
  std::uint64_t offset = 0;  // in bytes from the start of the text, of its first character
  std::variant<std::monostate, bool, Number, std::string, std::vector<Value>, Object> held;
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(held); }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&held); }
  [[nodiscard]] const Number* number() const { return std::get_if<Number>(&held); }
  /// UTF-8; it may hold any character, U+0000 included.
  [[nodiscard]] const std::string* text() const { return std::get_if<std::string>(&held); }
  [[nodiscard]] const std::vector<Value>* list() const {
    return std::get_if<std::vector<Value>>(&held);
  }
  [[nodiscard]] const Object* object() const { return std::get_if<Object>(&held); }
};

struct Member {
  std::string name;
  std::uint64_t offset = 0;  // of the name
  Value value;
};

/// What one text may have at most; a caller that knows its texts asks for less.
struct ReadLimits {
  std::size_t bytes = limits::json_bytes_max;
  std::size_t values = limits::json_values_max;
  std::size_t nesting = limits::json_nesting_max;
};

/// Reads one JSON text (RFC 8259), and nothing beyond it: no byte order mark, no comments, nothing
/// behind the value. It must be UTF-8 (section 8.1) without lone surrogates, and the names in an
/// object must differ (section 4 leaves both to the reader). A number that no double comes near is
/// refused.
/// Errors: truncated where the text ends too soon; malformed.json, malformed.nesting; over_limit.
/// Each but the one about the number of bytes has the offset where it was noticed, and line and
/// column in its sentence. No error quotes the text.
[[nodiscard]] Result<Value> read(std::string_view text, const ReadLimits& limits = {});

/// An error about what stands at `offset` of `text`, worded and placed like those of `read`, for
/// readers of one schema: "Line 3, column 7: what".
[[nodiscard]] std::unexpected<Error> bad_value(std::string_view text, std::uint64_t offset,
                                               const std::string& what);

}  // namespace fiducia::json
