// SPDX-License-Identifier: Apache-2.0
#include "json/reader.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <iterator>
#include <new>
#include <utility>

#include "core/text.h"

// The one inclusion of this library in what people run (check-architecture sees to it).
#define JSON_NO_IO 1
#include <nlohmann/json.hpp>

namespace fiducia::json {
namespace {

using Library = nlohmann::ordered_json;

/// "Line 3, column 7: "; columns count characters, and both from 1.
std::string place_of(std::string_view text, std::uint64_t offset) {
  const std::string_view before = text.substr(0, static_cast<std::size_t>(offset));
  const std::size_t last_break = before.rfind('\n');
  const std::string_view line =
      last_break == std::string_view::npos ? before : before.substr(last_break + 1);
  return "Line " + std::to_string(1 + std::ranges::count(before, '\n')) + ", column " +
         std::to_string(1 + count_characters(line)) + ": ";
}

std::unexpected<Error> refuse(std::string_view text, std::uint64_t offset, std::string kind,
                              const std::string& what) {
  return fail_malformed(std::move(kind), place_of(text, offset) + what, offset);
}

std::unexpected<Error> too_big(std::string_view text, std::uint64_t offset,
                               const std::string& what) {
  return fail(ErrorCode::over_limit, place_of(text, offset) + what, "Send it in several parts.",
              {.offset = offset});
}

/// How far the library has read.
struct Progress {
  const char* furthest = nullptr;
  bool asked_past_end = false;
};

/// Gives the library the text.
class Position {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Position(const char* at, Progress& progress) : at_(at), progress_(&progress) {}
  reference operator*() const { return *at_; }
  Position& operator++() {
    progress_->furthest = ++at_;
    return *this;
  }
  /// The library compares with the end before each character, and for nothing else.
  bool operator==(const Position& other) const {
    progress_->asked_past_end = at_ == other.at_;
    return at_ == other.at_;
  }

 private:
  const char* at_;
  Progress* progress_;
};

/// Builds values from what the library reports, which recurses neither here nor there.
class Builder {
 public:
  Builder(std::string_view text, const ReadLimits& limits)
      : text_(text), limits_(limits), progress_{.furthest = text.data()} {}

  Result<Value> build() {
    // strict: nothing but blanks may follow.
    const bool complete = Library::sax_parse(Position(text_.data(), progress_),
                                             Position(text_.data() + text_.size(), progress_), this,
                                             Library::input_format_t::json, /*strict=*/true);
    if (!complete) {
      FIDUCIA_ASSERT(error_.has_value());
      return std::unexpected(std::move(*error_));
    }
    return std::move(root_);
  }

  // --- what the library calls; false ends it ---
  bool null() { return take(word_start(4), std::monostate{}) != nullptr; }
  bool boolean(bool value) { return take(word_start(value ? 4 : 5), value) != nullptr; }
  bool number_integer(Library::number_integer_t) { return number(); }
  bool number_unsigned(Library::number_unsigned_t) { return number(); }
  bool number_float(Library::number_float_t, const std::string&) { return number(); }
  bool string(std::string& value) { return take(string_start(), std::move(value)) != nullptr; }
  bool binary(Library::binary_t&) { return false; }  // no part of JSON
  bool start_object(std::size_t) { return open(Object{}); }
  bool start_array(std::size_t) { return open(std::vector<Value>{}); }
  bool key(std::string& value) {
    name_ = std::move(value);
    name_offset_ = string_start();
    return true;
  }
  bool end_object() {
    const bool unique = has_unique_names(std::get<Object>(open_.back().value->held));
    open_.pop_back();
    return unique;
  }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Library::exception& error) {
    constexpr int number_overflow = 406;
    const std::string_view sentence{error.what()};  // quotes the text: not for ours
    const bool is_end = sentence.contains("unexpected end of input") ||
                        sentence.contains("last read: ");  // a token that is not complete
    if (error.id == number_overflow) {
      error_ = refuse(text_, number_start(), "json", "a number that is too large.").error();
    } else if (progress_.asked_past_end && is_end) {
      error_ = Error{.code = ErrorCode::truncated,
                     .what = place_of(text_, text_.size()) + "the text ends before its value does.",
                     .remedy = "Send or write all of it.",
                     .where = {.offset = text_.size()}};
    } else {
      error_ = refuse(text_, offset_of(progress_.furthest) - 1, "json",
                      "not JSON (RFC 8259): what ends here has no place here.")
                   .error();
    }
    return false;
  }

 private:
  /// An array or object that is not closed yet. Values in it move while it grows, those that hold
  /// it do not: it is the last one of each.
  struct Open {
    Value* value;
  };

  std::uint64_t offset_of(const char* at) const {
    return static_cast<std::uint64_t>(at - text_.data());
  }
  /// Where the word or string that the library has just read begins. It has read no further.
  std::uint64_t word_start(std::size_t length) const {
    return offset_of(progress_.furthest) - length;
  }
  std::uint64_t string_start() const {
    // Inside, each quote has an odd number of backslashes before it.
    const char* at = progress_.furthest - 2;
    for (;; --at) {
      if (*at != '"') continue;
      const char* before = at;
      while (before > text_.data() && before[-1] == '\\') --before;
      if ((at - before) % 2 == 0) return offset_of(at);
    }
  }
  /// A number ends where another character is read, or the text ends.
  static bool is_of_number(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  }
  const char* number_end() const {
    return progress_.furthest > text_.data() && !is_of_number(progress_.furthest[-1])
               ? progress_.furthest - 1
               : progress_.furthest;
  }
  std::uint64_t number_start() const {
    const char* at = number_end();
    while (at > text_.data() && is_of_number(at[-1])) --at;
    return offset_of(at);
  }
  bool number() {
    const std::uint64_t start = number_start();
    return take(start, Number{std::string(text_.data() + start, number_end())}) != nullptr;
  }

  template <class Held>
  Value* take(std::uint64_t offset, Held&& held) {
    if (++values_ > limits_.values) {
      error_ = too_big(text_, offset,
                       "more than " + std::to_string(limits_.values) + " values are not read.")
                   .error();
      return nullptr;
    }
    Value value{.offset = offset, .held = std::forward<Held>(held)};
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Value& around = *open_.back().value;
    if (auto* list = std::get_if<std::vector<Value>>(&around.held))
      return &list->emplace_back(std::move(value));
    auto& members = std::get<Object>(around.held).members;
    members.push_back(
        {.name = std::move(name_), .offset = name_offset_, .value = std::move(value)});
    return &members.back().value;
  }

  template <class Held>
  bool open(Held held) {
    const std::uint64_t offset = word_start(1);
    if (open_.size() >= limits_.nesting) {
      error_ = refuse(text_, offset, "nesting",
                      "arrays and objects are nested more than " + std::to_string(limits_.nesting) +
                          " deep.")
                   .error();
      return false;
    }
    Value* value = take(offset, std::move(held));
    if (value == nullptr) return false;
    open_.push_back({value});
    return true;
  }

  /// The second of two equal names is reported where it stands.
  bool has_unique_names(const Object& object) {
    std::vector<const Member*> sorted(object.members.size());
    std::ranges::transform(object.members, sorted.begin(), [](const Member& m) { return &m; });
    std::ranges::sort(sorted, {}, [](const Member* m) {
      return std::pair{std::string_view{m->name}, m->offset};
    });
    const auto twice = std::ranges::adjacent_find(
        sorted, {}, [](const Member* m) { return std::string_view{m->name}; });
    if (twice == sorted.end()) return true;
    error_ = refuse(text_, (*std::next(twice))->offset, "json", "the object has this name already.")
                 .error();
    return false;
  }

  std::string_view text_;
  const ReadLimits& limits_;
  Progress progress_;
  Value root_;
  std::vector<Open> open_;
  std::string name_;  // of the next value in an object
  std::uint64_t name_offset_ = 0;
  std::size_t values_ = 0;
  std::optional<Error> error_;
};

/// What the library would take for the end, skip, or report without saying where.
Status check_characters(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF"))
    return refuse(text, 0, "json", "a byte order mark, which JSON does not have.");
  for (std::size_t offset = 0; offset < text.size();) {
    const Utf8Character c = read_utf8(text, offset);
    if (!c.is_valid) return refuse(text, offset, "json", "not UTF-8.");
    if (c.code_point == 0) return refuse(text, offset, "json", "a zero byte.");
    offset += c.length_bytes;
  }
  return {};
}

template <class T>
std::optional<T> read_whole(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::uint64_t> Number::unsigned_integer() const {
  return read_whole<std::uint64_t>(text_ == "-0" ? "0" : text_);
}
std::optional<std::int64_t> Number::integer() const { return read_whole<std::int64_t>(text_); }

double Number::real() const {
  double value = 0;
  const auto [stop, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
  // Too large ones are not read, so this one is nearer to 0 than any double.
  if (error == std::errc::result_out_of_range) return text_.starts_with('-') ? -0.0 : 0.0;
  return value;
}

const Value* Object::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &found->value;
}

Result<Value> read(std::string_view text, const ReadLimits& limits) {
  if (text.size() > limits.bytes)
    return fail(ErrorCode::over_limit,
                "more than " + std::to_string(limits.bytes) + " bytes of JSON are not read.",
                "Send it in several parts.");
  FIDUCIA_CHECK(check_characters(text));
  try {
    return Builder(text, limits).build();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::over_limit, "there is no memory for this JSON text.",
                "Send it in several parts.");
  } catch (const std::exception&) {  // its sentence may quote the text
    return fail(ErrorCode::internal, "the JSON library failed.", "Report it.");
  }
}

std::unexpected<Error> bad_value(std::string_view text, std::uint64_t offset,
                                 const std::string& what) {
  return refuse(text, offset, "json", what);
}

}  // namespace fiducia::json
