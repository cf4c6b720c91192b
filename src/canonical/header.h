// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "canonical/nested_pixels.h"
#include "canonical/salts.h"
#include "canonical/value.h"
#include "dicom/dicom.h"

namespace fiducia::canonical {

/// One leaf of the header tree: an attribute, or a sequence's number of items.
struct HeaderLeaf {
  std::uint32_t path_offset = 0;  // of the canonical path, in the header's arena
  std::uint32_t path_bytes = 0;
  dicom::Vr vr;  // as sealing would name it
  const dicom::Element* element = nullptr;
  const TextEncoding* text_encoding = nullptr;
  bool is_sequence = false;  // walked as one
  bool duplicate = false;    // the leaf before it has the same path
  // Of an element that is left out:
  bool is_pixel_data = false;    // the pixel tree covers it
  bool is_evidence = false;      // part of our own block
  bool holds_strangers = false;  // a DICOM signature with elements that belong to none
};

/// What the walk needs to know from outside the header.
struct HeaderContext {
  /// The top-level element whose value the pixel tree covers, or nullptr.
  const dicom::Element* pixel_element = nullptr;
  /// Stands for the value of top-level Photometric Interpretation (spec/seal.md 5.6).
  std::optional<std::string> photometric_interpretation;
  /// Native values of encapsulated Pixel Data inside items; may be null.
  const NestedPixels* nested_pixels = nullptr;
  /// The VR a seal names for a canonical path, absent when it names none: lets the walk read
  /// private elements that lost their VR as what they were (spec/seal.md 5.5). Empty at sealing.
  std::function<std::optional<dicom::Vr>(ByteView path)> sealed_vr;
  /// Of the object; null: no limit but those of memory.
  Budget* budget = nullptr;
};

/// The header of one data set as the list of leaves that a seal covers, in canonical order
/// (ascending canonical paths, compared as bytes). Borrows from the data set.
class CanonicalHeader {
 public:
  /// Errors: over_limit; malformed, when a value that the seal says is a sequence is not one.
  [[nodiscard]] static Result<CanonicalHeader> read(const dicom::DataSet& data_set,
                                                    HeaderContext context);
  [[nodiscard]] std::span<const HeaderLeaf> leaves() const { return leaves_; }
  /// The elements that have no leaf (spec/seal.md 5.4), in the order of the data set.
  [[nodiscard]] std::span<const HeaderLeaf> left_out() const { return left_out_; }
  [[nodiscard]] ByteView path(const HeaderLeaf& leaf) const {
    return ByteView{arena_}.subspan(leaf.path_offset, leaf.path_bytes);
  }
  /// The canonical value of a leaf when read as `vr`; borrows from the data set or `scratch`.
  [[nodiscard]] CanonicalValue value(const HeaderLeaf& leaf, dicom::Vr vr, Bytes& swap_scratch,
                                     std::string& text_scratch) const;

 private:
  friend class HeaderWalk;
  HeaderContext context_;
  Bytes arena_;
  std::vector<HeaderLeaf> leaves_;
  std::vector<HeaderLeaf> left_out_;
  std::deque<TextEncoding> text_encodings_;  // stable addresses
  std::deque<dicom::DataSet> reparsed_;      // sequences that had become bytes
};

/// Computes leaf hashes in batches (spec/seal.md 5.2).
class HeaderHasher {
 public:
  /// Adds SHA-256(0x00 || tag || salt || path || VR || kind || value). `out` is written by flush.
  void add(const Salt& salt, ByteView path, dicom::Vr vr, const CanonicalValue& value, Digest* out);
  void flush();

 private:
  Bytes arena_;
  std::vector<std::pair<std::size_t, std::size_t>> ranges_;  // offset, length in the arena
  std::vector<Digest*> out_;
};

/// The leaf hash of one attribute; for many, HeaderHasher is faster.
[[nodiscard]] Digest attribute_hash(const Salt& salt, ByteView path, dicom::Vr vr,
                                    const CanonicalValue& value);

/// Canonical path of a standard attribute at the top level (spec/seal.md 5.1).
[[nodiscard]] std::array<std::byte, 5> top_level_path(dicom::Tag tag);

/// Order of canonical paths: as bytes, a prefix first (spec/seal.md 5.1). Negative, 0 or positive.
[[nodiscard]] int compare_paths(ByteView a, ByteView b);

/// For people: "(0040,0275)[1].(0040,0007)", `(0029,"SIEMENS",10)`. `keyword` is that of the last
/// step, "" when PS3.6 names none. Errors: malformed, when `path` is no canonical path.
struct PathText {
  std::string text;
  std::string keyword;
};
[[nodiscard]] Result<PathText> describe_path(ByteView path);

}  // namespace fiducia::canonical
