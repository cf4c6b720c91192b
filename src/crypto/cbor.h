// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/core.h"

namespace fiducia::crypto {

/// Writes deterministic CBOR (RFC 8949 section 4.2.1): shortest heads, definite lengths.
/// The caller writes map keys in ascending order of their encodings (non-negative integers
/// ascending, then negative ones -1, -2, ..., then text); `CborWriter` asserts counts and order,
/// and that keys are numbers, strings or `raw`.
class CborWriter {
 public:
  void uint(std::uint64_t value);
  void integer(std::int64_t value);
  void bytes(ByteView value);
  /// Head of a byte string whose `length_bytes` content bytes the caller appends with `raw`.
  void bytes_head(std::uint64_t length_bytes);
  void text(std::string_view utf8);
  void array(std::uint64_t count);  // then `count` items
  void map(std::uint64_t count);    // then `count` pairs key, value
  void tag(std::uint64_t number);   // then one item
  void boolean(bool value);
  void null();
  void raw(ByteView encoded);  // one already encoded item, or content after bytes_head
  /// The encoding, which must be complete; the writer starts anew.
  [[nodiscard]] Bytes take();
  [[nodiscard]] const Bytes& bytes_so_far() const { return out_; }

 private:
  struct Level {
    std::uint64_t items_left;  // of a map: keys and values
    bool map;
    std::size_t key_at = 0;        // the key being written, or the last one
    std::size_t last_key_at = 0;   // the key before it
    std::size_t last_key_end = 0;  // 0: no key yet
  };
  void head(unsigned major, std::uint64_t value);
  void begin_item(bool may_be_key);
  void end_item();
  void open(bool map, std::uint64_t items);
  Bytes out_;
  std::vector<Level> open_;         // arrays and maps that still want items
  std::uint64_t content_left_ = 0;  // bytes that bytes_head announced
  bool tagged_ = false;             // a tag wants its item
};

enum class CborType { uint, negative, bytes, text, array, map, tag, boolean, null };

enum class CborOrder {
  deterministic,  // shortest heads, sorted keys: our own formats
  any,            // other people's COSE: any order and head width, still no indefinite lengths
};

/// A pull reader over borrowed bytes: bounded, iterative, allocates nothing.
///
/// Refuses indefinite lengths, reserved additional information, floats, text that is not UTF-8,
/// and counts larger than the bytes that are left. Errors: truncated, malformed (kind "cbor").
/// A failed read leaves the position unchanged. Spans point into the input. `skip` applies all
/// of this to every depth, in deterministic order also the order of keys; only duplicate keys of
/// maps that are skipped in order `any` go unseen, since nobody looks them up.
class CborReader {
 public:
  explicit CborReader(ByteView input, CborOrder order = CborOrder::deterministic)
      : cursor_(input), order_(order) {}
  [[nodiscard]] Result<CborType> peek() const;
  [[nodiscard]] Result<std::uint64_t> uint();
  [[nodiscard]] Result<std::int64_t> integer();
  [[nodiscard]] Result<ByteView> bytes();
  [[nodiscard]] Result<std::string_view> text();
  [[nodiscard]] Result<std::size_t> array();
  [[nodiscard]] Result<std::size_t> map();
  [[nodiscard]] Result<std::uint64_t> tag();
  [[nodiscard]] Result<bool> boolean();
  [[nodiscard]] Status null();
  /// Skips one item of any depth up to limits::cbor_depth_max and returns its encoding.
  [[nodiscard]] Result<ByteView> skip();
  /// Errors: malformed, when bytes are left.
  [[nodiscard]] Status finish() const;
  [[nodiscard]] bool at_end() const { return cursor_.remaining() == 0; }
  [[nodiscard]] std::uint64_t offset() const { return cursor_.offset(); }
  [[nodiscard]] CborOrder order() const { return order_; }

 private:
  struct Head {
    unsigned major;
    std::uint64_t value;
    std::size_t length_bytes;
  };
  [[nodiscard]] Result<Head> read_head() const;
  ByteCursor cursor_;
  CborOrder order_;
};

/// Walks the keys of one map and refuses duplicates, and wrong order when deterministic. Keys
/// are compared by value, so that two widths of one number are still one key.
class CborMap {
 public:
  /// Reads the map's head. Errors as CborReader::map; malformed past limits::cbor_foreign_keys_max
  /// keys in order `any`, where finding duplicates costs a comparison with each key before.
  [[nodiscard]] static Result<CborMap> open(CborReader& reader);
  struct Key {
    std::optional<std::int64_t> number;
    std::string_view text;  // when `number` is absent
  };
  /// The next key, absent after the last. The caller then reads or skips exactly one value.
  [[nodiscard]] Result<std::optional<Key>> next();

 private:
  CborMap(CborReader& reader, std::size_t count) : reader_(&reader), left_(count) {}
  CborReader* reader_;  // outlives this
  std::size_t left_;
  std::vector<Key> seen_;  // in order `any`: the keys so far
  ByteView last_;          // when deterministic: the encoding of the last key
};

}  // namespace fiducia::crypto
