// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module dicom: writes an EditableDataSet, without recursion and in one pass.
#include <cstdint>
#include <vector>

#include "dicom/editable.h"

namespace fiducia::dicom {

/// The largest defined length of a value: FFFFFFFF means undefined, and lengths are even.
inline constexpr std::uint64_t value_bytes_max = 0xFFFFFFFE;
/// The largest length of the short form of explicit VR (PS3.5 section 7.1.2).
inline constexpr std::uint64_t short_value_bytes_max = 0xFFFE;

class DataSetEncoder {
 public:
  DataSetEncoder(const EditableDataSet& data_set, const WriteForm& form)
      : data_set_(data_set), form_(form) {}

  /// What a file with this data set begins with. `kept`: see encode_file().
  [[nodiscard]] Bytes file_head(std::string_view transfer_syntax_uid, const DataSet* kept) const;
  /// Whether Pixel Data fits the transfer syntax.
  [[nodiscard]] Status check_pixel_data(const TransferSyntax& syntax) const;
  /// Bytes as they are, copied.
  void write_head(ByteView bytes) { copy(bytes); }
  /// Errors: those of EditableDataSet::encode.
  [[nodiscard]] Status write();
  [[nodiscard]] Encoded take() && { return std::move(out_); }

 private:
  /// The items of a sequence, or the elements of one item, that are being written.
  struct Level {
    bool is_items = false;
    std::uint32_t next = no_index;  // item or element
    Encoding encoding = {};
    bool has_delimiter = false;
    bool has_length = false;
    std::size_t length_at = 0;     // in out_.own_: where the length stands
    std::uint64_t content_at = 0;  // bytes before the content
    Tag tag = {};                  // of the sequence, for errors
  };

  [[nodiscard]] Status write_element(const EditableDataSet::Node& node, Encoding encoding);
  [[nodiscard]] Status write_fragments(const EditableDataSet::Node& node, Encoding encoding);
  void open_sequence(const EditableDataSet::Node& node, Encoding encoding);
  void open_item(ItemIndex item, const Level& sequence);
  [[nodiscard]] Status close(const Level& level);
  void header(Tag tag, Vr vr, std::uint32_t length, Encoding encoding);
  void item_header(Tag tag, std::uint32_t length, bool big_endian);
  void copy(ByteView bytes);
  void borrow(ByteView bytes);
  void own(std::size_t length);
  void u16(std::uint16_t value, bool big_endian);
  void u32(std::uint32_t value, bool big_endian);

  const EditableDataSet& data_set_;
  const WriteForm form_;
  Encoded out_;
  std::vector<Level> stack_;
};

}  // namespace fiducia::dicom
