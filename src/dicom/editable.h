// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dicom/data_set.h"
#include "dicom/path.h"
#include "dicom/transfer_syntax.h"

namespace fiducia::dicom {

/// How the end of a sequence, or of an item, is told: by its length or by a delimiter (PS3.5
/// section 7.5). Both are read alike by everybody.
enum class LengthForm : std::uint8_t { defined, undefined };

/// How a data set is written.
struct WriteForm {
  Encoding encoding = {};
  LengthForm sequences = LengthForm::defined;
  LengthForm items = LengthForm::defined;
};

/// What was encoded, as parts to be written one after the other: small values and headers are
/// owned, large values still lie where they were borrowed from.
class Encoded {
 public:
  /// Valid as long as this object and what was borrowed.
  [[nodiscard]] std::vector<ByteView> parts() const;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// All of it in one piece.
  [[nodiscard]] Bytes joined() const;

  friend class DataSetEncoder;

 private:
  struct Piece {
    ByteView borrowed;      // empty: owned
    std::size_t start = 0;  // in own_
    std::size_t length = 0;
  };
  Bytes own_;
  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

/// A data set that can be built and edited at any depth, then encoded. Elements stand in the order
/// of their tags; those of a data set that was read keep theirs.
///
/// Paths are made as they are needed: a sequence that is not there comes into being, and its next
/// item when the path names the one behind the last. A private creator that a path names and the
/// data set has not takes the first free block (PS3.5 section 7.8.1).
///
/// Group lengths (gggg,0000) and Length to End (0008,0001), retired and true for one encoding only,
/// are not written. Groups 0000 and 0002 and item tags are no part of a data set; group 0002 is
/// written by encode_file(). Thread safety: none; const methods may run concurrently.
class EditableDataSet {
 public:
  EditableDataSet();
  /// Everything of `data_set`, whose bytes must outlive this object; nothing is copied but
  /// structure.
  explicit EditableDataSet(const DataSet& data_set);

  /// Puts an attribute there, in place of the one that is there, and of its duplicates. `value` is
  /// little endian, and is padded to even length as its VR has it (PS3.5 section 6.2).
  /// Errors: unsupported (kind "edit": a VR of PS3.5 that has a value is due; the tag cannot stand
  /// in a data set; the length is not a whole number of numbers), usage_invalid (the path names an
  /// item, or one past the next), over_limit (4 GiB and more).
  [[nodiscard]] Status set(const AttributePath& path, Vr vr, Bytes value);
  /// The same without a copy: `value` must outlive this object and what is encoded from it.
  [[nodiscard]] Status set_borrowed(const AttributePath& path, Vr vr, ByteView value);
  /// The same for text, which has to be encoded by the Specific Character Set already.
  [[nodiscard]] Status set_text(const AttributePath& path, Vr vr, std::string_view text);
  /// Encapsulated Pixel Data (PS3.5 section A.4), borrowed: the Basic Offset Table, which may be
  /// empty, and the fragments. Errors: as set(); also for any tag but Pixel Data (7FE0,0010).
  [[nodiscard]] Status set_fragments(const AttributePath& path, ByteView basic_offset_table,
                                     std::span<const ByteView> fragments);
  /// An empty sequence. Errors: as set().
  [[nodiscard]] Status set_sequence(const AttributePath& path);
  /// Adds an empty item, which then has this number; it and the later ones move on by one.
  /// Errors: usage_invalid (the path names no item, or one past the next).
  [[nodiscard]] Status insert_item(const AttributePath& item);
  /// Takes an attribute, with its duplicates, or an item away. Whether it was there.
  bool remove(const AttributePath& path);

  [[nodiscard]] bool contains(const AttributePath& path) const;
  /// Items of a sequence; 0 where there is none.
  [[nodiscard]] std::uint32_t count_items(const AttributePath& sequence) const;

  /// Errors: over_limit (something of defined length is 4 GiB or more: write undefined lengths);
  /// unsupported (kind "edit": fragments in an implicit VR or big endian encoding).
  [[nodiscard]] Result<Encoded> encode(const WriteForm& form) const;

  friend class DataSetEncoder;

 private:
  struct Node {
    Tag tag;
    Vr vr;
    Vr written_vr;            // in explicit VR: what the file said, where it said one
    bool big_endian = false;  // the order of `value`
    bool encapsulated = false;
    ByteView value = {};                 // raw items, where encapsulated and read
    std::uint32_t fragments = no_index;  // in fragments_, where set here
    ElementIndex next = no_index;
    ItemIndex first_item = no_index;
  };
  struct Level {  // an item, or the top level
    ElementIndex first = no_index;
    ElementIndex last = no_index;
    ItemIndex next = no_index;
  };
  struct Place {
    ItemIndex level = 0;
    Tag tag;
    ElementIndex node = no_index;
  };

  [[nodiscard]] std::optional<Place> find(const AttributePath& path) const;
  [[nodiscard]] std::optional<ItemIndex> find_level(const AttributePath& item) const;
  [[nodiscard]] Result<Place> make(const AttributePath& path);
  [[nodiscard]] Result<Tag> make_tag(ItemIndex level, const PathStep& step);
  [[nodiscard]] std::optional<Tag> find_tag_in(ItemIndex level, const PathStep& step) const;
  [[nodiscard]] ElementIndex find_node(ItemIndex level, Tag tag) const;
  [[nodiscard]] ElementIndex put(ItemIndex level, Node node);
  void unlink(ItemIndex level, Tag tag, ElementIndex keep);
  [[nodiscard]] Status store(const AttributePath& path, Node node);

  std::vector<Node> nodes_;
  std::vector<Level> levels_;                     // the first is the top level
  std::vector<Bytes> owned_;                      // values that Nodes borrow
  std::vector<std::vector<ByteView>> fragments_;  // Basic Offset Table first
};

/// A Part 10 file (PS3.10 section 7.1) of the data set: preamble of zeros, meta information, data
/// set in `transfer_syntax`. Media Storage SOP Class and Instance UID follow the data set, where it
/// has them; of `meta`, the meta information of a file that was read, everything stays but those,
/// group length, version, transfer syntax and implementation, which are those of this program.
/// Errors: those of EditableDataSet::encode; unsupported (kind "edit": native Pixel Data in an
/// encapsulated transfer syntax, or fragments in a native one).
[[nodiscard]] Result<Encoded> encode_file(const EditableDataSet& data_set,
                                          const TransferSyntax& transfer_syntax,
                                          const DataSet* meta = nullptr,
                                          LengthForm sequences = LengthForm::defined,
                                          LengthForm items = LengthForm::defined);

}  // namespace fiducia::dicom
