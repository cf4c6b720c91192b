// SPDX-License-Identifier: Apache-2.0
#include "crypto/cbor.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace fiducia::crypto {
namespace {

// RFC 8949 section 3.1: major types.
constexpr unsigned major_uint = 0;
constexpr unsigned major_negative = 1;
constexpr unsigned major_bytes = 2;
constexpr unsigned major_text = 3;
constexpr unsigned major_array = 4;
constexpr unsigned major_map = 5;
constexpr unsigned major_tag = 6;
constexpr unsigned major_simple = 7;
// Section 3.3: simple values.
constexpr std::uint64_t simple_false = 20;
constexpr std::uint64_t simple_true = 21;
constexpr std::uint64_t simple_null = 22;

constexpr std::uint64_t int64_max = std::numeric_limits<std::int64_t>::max();

/// Section 4.2.1: bytewise lexicographic order of the encodings.
bool encoded_before(ByteView a, ByteView b) { return std::ranges::lexicographical_compare(a, b); }

std::unexpected<Error> malformed(std::string what, std::uint64_t offset) {
  return fail_malformed("cbor", std::move(what), offset);
}

}  // namespace

// --- writer ----------------------------------------------------------------------------------

void CborWriter::head(unsigned major, std::uint64_t value) {
  const auto initial = [&](unsigned info) {
    out_.push_back(static_cast<std::byte>(major << 5 | info));
  };
  if (value < 24) {
    initial(static_cast<unsigned>(value));
  } else if (value <= 0xff) {
    initial(24);
    append_be(out_, static_cast<std::uint8_t>(value));
  } else if (value <= 0xffff) {
    initial(25);
    append_be(out_, static_cast<std::uint16_t>(value));
  } else if (value <= 0xffffffff) {
    initial(26);
    append_be(out_, static_cast<std::uint32_t>(value));
  } else {
    initial(27);
    append_be(out_, value);
  }
}

void CborWriter::begin_item(bool may_be_key) {
  FIDUCIA_ASSERT(content_left_ == 0);
  const bool after_tag = std::exchange(tagged_, false);
  if (after_tag || open_.empty()) return;
  Level& level = open_.back();
  if (!level.map || level.items_left % 2 != 0) return;
  FIDUCIA_ASSERT(may_be_key);
  level.key_at = out_.size();
}

void CborWriter::end_item() {
  while (!open_.empty()) {
    Level& level = open_.back();
    if (level.map && level.items_left % 2 == 0) {
      const ByteView all(out_);
      const ByteView key = all.subspan(level.key_at);
      FIDUCIA_ASSERT(
          level.last_key_end == 0 ||
          encoded_before(all.subspan(level.last_key_at, level.last_key_end - level.last_key_at),
                         key));
      level.last_key_at = level.key_at;
      level.last_key_end = out_.size();
    }
    if (--level.items_left != 0) return;
    open_.pop_back();  // the container is complete, and with it an item of the one around it
  }
}

void CborWriter::open(bool map, std::uint64_t items) {
  if (items == 0) {
    end_item();
  } else {
    open_.push_back({.items_left = items, .map = map});
  }
}

void CborWriter::uint(std::uint64_t value) {
  begin_item(true);
  head(major_uint, value);
  end_item();
}

void CborWriter::integer(std::int64_t value) {
  begin_item(true);
  if (value >= 0) {
    head(major_uint, static_cast<std::uint64_t>(value));
  } else {
    head(major_negative, static_cast<std::uint64_t>(-(value + 1)));
  }
  end_item();
}

void CborWriter::bytes(ByteView value) {
  begin_item(true);
  head(major_bytes, value.size());
  append(out_, value);
  end_item();
}

void CborWriter::bytes_head(std::uint64_t length_bytes) {
  begin_item(false);
  head(major_bytes, length_bytes);
  content_left_ = length_bytes;
  if (length_bytes == 0) end_item();
}

void CborWriter::text(std::string_view utf8) {
  FIDUCIA_ASSERT(is_utf8(utf8));
  begin_item(true);
  head(major_text, utf8.size());
  append(out_, as_bytes(utf8));
  end_item();
}

void CborWriter::array(std::uint64_t count) {
  begin_item(false);
  head(major_array, count);
  open(false, count);
}

void CborWriter::map(std::uint64_t count) {
  FIDUCIA_ASSERT(count <= std::numeric_limits<std::uint64_t>::max() / 2);
  begin_item(false);
  head(major_map, count);
  open(true, 2 * count);
}

void CborWriter::tag(std::uint64_t number) {
  begin_item(false);
  head(major_tag, number);
  tagged_ = true;
}

void CborWriter::boolean(bool value) {
  begin_item(false);
  head(major_simple, value ? simple_true : simple_false);
  end_item();
}

void CborWriter::null() {
  begin_item(false);
  head(major_simple, simple_null);
  end_item();
}

void CborWriter::raw(ByteView encoded) {
  if (encoded.empty()) return;
  if (content_left_ != 0) {
    FIDUCIA_ASSERT(encoded.size() <= content_left_);
    append(out_, encoded);
    content_left_ -= encoded.size();
    if (content_left_ == 0) end_item();
    return;
  }
  begin_item(true);
  append(out_, encoded);
  end_item();
}

Bytes CborWriter::take() {
  FIDUCIA_ASSERT(open_.empty() && content_left_ == 0 && !tagged_);
  return std::exchange(out_, {});
}

// --- reader ----------------------------------------------------------------------------------

Result<CborReader::Head> CborReader::read_head() const {
  // The heads of nearly all items: one byte, or two for a length up to 255. A table of leaves has
  // thousands of them.
  const ByteView rest = cursor_.rest();
  if (rest.size() >= 2) {
    const auto initial_byte = std::to_integer<std::uint8_t>(rest[0]);
    const auto next_byte = std::to_integer<std::uint8_t>(rest[1]);
    const unsigned major = initial_byte >> 5U;
    const unsigned info = initial_byte & 0x1fU;
    if (major != major_simple && info < 24)
      return Head{.major = major, .value = info, .length_bytes = 1};
    if (major != major_simple && info == 24 && next_byte >= 24)
      return Head{.major = major, .value = next_byte, .length_bytes = 2};
  }
  ByteCursor cursor = cursor_;
  const std::uint64_t start = cursor.offset();
  FIDUCIA_TRY(initial, cursor.le<std::uint8_t>());
  const unsigned major = initial >> 5U;
  const unsigned info = initial & 0x1fU;
  std::uint64_t value = info;
  std::uint64_t smallest = 0;  // that needs a head of this width
  if (info == 24) {
    FIDUCIA_TRY(wide, cursor.be<std::uint8_t>());
    value = wide;
    smallest = 24;
  } else if (info == 25) {
    FIDUCIA_TRY(wide, cursor.be<std::uint16_t>());
    value = wide;
    smallest = 0x100;
  } else if (info == 26) {
    FIDUCIA_TRY(wide, cursor.be<std::uint32_t>());
    value = wide;
    smallest = 0x1'0000;
  } else if (info == 27) {
    FIDUCIA_TRY(wide, cursor.be<std::uint64_t>());
    value = wide;
    smallest = 0x1'0000'0000;
  } else if (info > 27) {
    return malformed(info == 31 ? "a CBOR item has indefinite length"
                                : "a CBOR head has reserved additional information",
                     start);
  }
  if (major == major_simple) {
    // Heads of two and more bytes are other simple values and floats; none is in our formats.
    if (info < simple_false || info > simple_null) {
      return malformed("expected true, false or null, found another simple value or a float",
                       start);
    }
  } else if (order_ == CborOrder::deterministic && value < smallest) {
    return malformed("a CBOR head is longer than its value needs", start);
  }
  return Head{.major = major,
              .value = value,
              .length_bytes = static_cast<std::size_t>(cursor.offset() - start)};
}

Result<CborType> CborReader::peek() const {
  FIDUCIA_TRY(head, read_head());
  switch (head.major) {
    case major_uint:
      return CborType::uint;
    case major_negative:
      return CborType::negative;
    case major_bytes:
      return CborType::bytes;
    case major_text:
      return CborType::text;
    case major_array:
      return CborType::array;
    case major_map:
      return CborType::map;
    case major_tag:
      return CborType::tag;
    default:
      return head.value == simple_null ? CborType::null : CborType::boolean;
  }
}

Result<std::uint64_t> CborReader::uint() {
  FIDUCIA_TRY(head, read_head());
  if (head.major != major_uint) return malformed("expected an unsigned integer", offset());
  FIDUCIA_CHECK(cursor_.take(head.length_bytes));
  return head.value;
}

Result<std::int64_t> CborReader::integer() {
  FIDUCIA_TRY(head, read_head());
  if (head.major > major_negative) return malformed("expected an integer", offset());
  if (head.value > int64_max) return malformed("an integer does not fit 64 bits", offset());
  FIDUCIA_CHECK(cursor_.take(head.length_bytes));
  const auto value = static_cast<std::int64_t>(head.value);
  return head.major == major_uint ? value : -1 - value;
}

Result<ByteView> CborReader::bytes() {
  FIDUCIA_TRY(head, read_head());
  if (head.major != major_bytes) return malformed("expected a byte string", offset());
  ByteCursor cursor = cursor_;
  FIDUCIA_CHECK(cursor.take(head.length_bytes));
  FIDUCIA_TRY(content, cursor.take(head.value));
  cursor_ = cursor;
  return content;
}

Result<std::string_view> CborReader::text() {
  FIDUCIA_TRY(head, read_head());
  if (head.major != major_text) return malformed("expected a text string", offset());
  ByteCursor cursor = cursor_;
  FIDUCIA_CHECK(cursor.take(head.length_bytes));
  FIDUCIA_TRY(content, cursor.take(head.value));
  if (!is_utf8(as_text(content))) return malformed("a text string is not UTF-8", offset());
  cursor_ = cursor;
  return as_text(content);
}

Result<std::size_t> CborReader::array() {
  FIDUCIA_TRY(head, read_head());
  if (head.major != major_array) return malformed("expected an array", offset());
  // Each item takes at least one byte, so a larger count is a lie, found before any allocation.
  if (head.value > cursor_.remaining() - head.length_bytes) {
    return malformed("an array announces more items than there are bytes", offset());
  }
  FIDUCIA_CHECK(cursor_.take(head.length_bytes));
  return static_cast<std::size_t>(head.value);
}

Result<std::size_t> CborReader::map() {
  FIDUCIA_TRY(head, read_head());
  if (head.major != major_map) return malformed("expected a map", offset());
  if (head.value > (cursor_.remaining() - head.length_bytes) / 2) {
    return malformed("a map announces more pairs than there are bytes", offset());
  }
  FIDUCIA_CHECK(cursor_.take(head.length_bytes));
  return static_cast<std::size_t>(head.value);
}

Result<std::uint64_t> CborReader::tag() {
  FIDUCIA_TRY(head, read_head());
  if (head.major != major_tag) return malformed("expected a tag", offset());
  FIDUCIA_CHECK(cursor_.take(head.length_bytes));
  return head.value;
}

Result<bool> CborReader::boolean() {
  FIDUCIA_TRY(head, read_head());
  if (head.major != major_simple || head.value == simple_null) {
    return malformed("expected true or false", offset());
  }
  FIDUCIA_CHECK(cursor_.take(head.length_bytes));
  return head.value == simple_true;
}

Status CborReader::null() {
  FIDUCIA_TRY(head, read_head());
  if (head.major != major_simple || head.value != simple_null) {
    return malformed("expected null", offset());
  }
  FIDUCIA_CHECK(cursor_.take(head.length_bytes));
  return {};
}

Result<ByteView> CborReader::skip() {
  struct Level {
    std::uint64_t items_left;
    bool map;
    std::uint64_t key_at;
    ByteView last_key;
  };
  std::array<Level, limits::cbor_depth_max> levels;
  std::size_t depth = 0;
  const ByteView input = cursor_.rest();
  const std::uint64_t start = cursor_.offset();
  const auto between = [&](std::uint64_t from, std::uint64_t to) {
    return input.subspan(static_cast<std::size_t>(from - start),
                         static_cast<std::size_t>(to - from));
  };

  CborReader inner = *this;  // committed at the end, so that a failure moves nothing
  do {
    if (depth != 0) {
      Level& level = levels[depth - 1];
      if (level.map && level.items_left % 2 == 0) level.key_at = inner.offset();
    }
    FIDUCIA_TRY(head, inner.read_head());
    std::uint64_t items = 0;
    switch (head.major) {
      case major_bytes:
        FIDUCIA_CHECK(inner.bytes());
        break;
      case major_text:
        FIDUCIA_CHECK(inner.text());
        break;
      case major_array: {
        FIDUCIA_TRY(count, inner.array());
        items = count;
        break;
      }
      case major_map: {
        FIDUCIA_TRY(count, inner.map());
        items = std::uint64_t{2} * count;  // no more than the input has bytes
        break;
      }
      default:
        FIDUCIA_CHECK(inner.cursor_.take(head.length_bytes));
        if (head.major == major_tag) items = 1;
    }
    if (items != 0) {
      if (depth == levels.size()) return malformed("CBOR items are nested too deep", offset());
      levels[depth++] = {
          .items_left = items, .map = head.major == major_map, .key_at = 0, .last_key = {}};
      continue;
    }
    while (depth != 0) {  // one item is complete, and maybe the containers it ends
      Level& level = levels[depth - 1];
      if (level.map && level.items_left % 2 == 0 && order_ == CborOrder::deterministic) {
        const ByteView key = between(level.key_at, inner.offset());
        if (!level.last_key.empty() && !encoded_before(level.last_key, key)) {
          return malformed("map keys are not in ascending order", level.key_at);
        }
        level.last_key = key;
      }
      if (--level.items_left != 0) break;
      --depth;
    }
  } while (depth != 0);

  const ByteView encoding = between(start, inner.offset());
  cursor_ = inner.cursor_;
  return encoding;
}

Status CborReader::finish() const {
  if (!at_end()) return malformed("bytes follow the last CBOR item", offset());
  return {};
}

// --- map walker ------------------------------------------------------------------------------

Result<CborMap> CborMap::open(CborReader& reader) {
  CborReader ahead = reader;
  FIDUCIA_TRY(count, ahead.map());
  if (reader.order() == CborOrder::any && count > limits::cbor_foreign_keys_max) {
    return malformed("a map has too many keys", reader.offset());
  }
  reader = ahead;
  return CborMap(reader, count);
}

Result<std::optional<CborMap::Key>> CborMap::next() {
  if (left_ == 0) return std::optional<Key>();
  CborReader ahead = *reader_;
  const std::uint64_t start = ahead.offset();
  FIDUCIA_TRY(type, ahead.peek());
  Key key;
  if (type == CborType::text) {
    FIDUCIA_TRY(text, ahead.text());
    key.text = text;
  } else if (type == CborType::uint || type == CborType::negative) {
    FIDUCIA_TRY(number, ahead.integer());
    key.number = number;
  } else {
    return malformed("a map key is neither an integer nor text", start);
  }
  if (reader_->order() == CborOrder::deterministic) {
    CborReader again = *reader_;
    FIDUCIA_TRY(encoding, again.skip());
    if (!last_.empty() && !encoded_before(last_, encoding)) {
      return malformed("map keys are not in ascending order", start);
    }
    last_ = encoding;
  } else {
    const bool seen = std::ranges::any_of(seen_, [&](const Key& other) {
      return key.number == other.number && key.text == other.text;
    });
    if (seen) return malformed("a map key occurs twice", start);
    seen_.push_back(key);
  }
  *reader_ = ahead;
  --left_;
  return std::optional(key);
}

}  // namespace fiducia::crypto
