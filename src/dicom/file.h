// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"

namespace fiducia::dicom {

/// Something odd that did not stop the reader. `code` is a word such as "odd_length".
struct Note {
  std::string code;
  std::string text;
  std::uint64_t offset = 0;
};

/// A DICOM file or bare data set, parsed and kept in memory or mapped.
///
/// Accepts Part 10 files (PS3.10 section 7.1), files without preamble or meta information, and
/// bare data sets in implicit or explicit VR (guessed from the first elements, checked by the
/// whole parse). Thread safety: const after open.
class File {
 public:
  /// Errors: io_unreadable; truncated, malformed, over_limit with path and offset;
  /// unsupported for a transfer syntax UID this build does not know how to parse.
  [[nodiscard]] static Result<File> open(const std::filesystem::path& path);
  /// From what is open or in memory already; `name` stands for the path in errors.
  [[nodiscard]] static Result<File> read(MappedFile mapped, std::string name = "-");
  [[nodiscard]] static Result<File> read(Bytes bytes, std::string name = "-");
  /// The same for what is read more than once, or whose owner goes on using it.
  [[nodiscard]] static Result<File> read(std::shared_ptr<const MappedFile> mapped,
                                         std::string name = "-");
  [[nodiscard]] static Result<File> read(std::shared_ptr<const Bytes> bytes,
                                         std::string name = "-");
  File(File&&) noexcept = default;
  File& operator=(File&&) noexcept = default;

  [[nodiscard]] const DataSet& data_set() const { return data_set_; }
  /// Elements of group 0002; empty for a bare data set.
  [[nodiscard]] const DataSet& meta() const { return meta_; }
  /// The syntax that the data set was read in. Its UID is empty where nothing names it (bare
  /// encapsulated data sets); its flags are those of the bytes where the meta information is
  /// wrong (note "wrong_transfer_syntax"). Owned by the File or by the table.
  [[nodiscard]] const TransferSyntax& transfer_syntax() const { return *transfer_syntax_; }
  [[nodiscard]] bool has_preamble() const { return has_preamble_; }
  [[nodiscard]] std::span<const Note> notes() const { return notes_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// The file's bytes as they lie on disk.
  [[nodiscard]] ByteView bytes() const;
  /// Where the data set starts in bytes() (compressed, when deflated).
  [[nodiscard]] std::uint64_t data_set_offset() const { return data_set_offset_; }
  /// The bytes the data set was parsed from: a part of bytes(), or the inflated data set.
  [[nodiscard]] ByteView data_set_bytes() const { return data_set_bytes_; }
  /// Lets the kernel drop pages of a part of bytes() that is done with; harmless otherwise.
  void release(ByteView used) const;
  /// What may still be done about this object; every step that costs takes from it.
  [[nodiscard]] Budget& budget() const { return *budget_; }
  /// Whether the file shrank while it was read: then no verdict may rest on it.
  [[nodiscard]] bool was_truncated() const;

 private:
  File() = default;
  [[nodiscard]] static Result<File> parse(File file);
  [[nodiscard]] Status read_parts();
  [[nodiscard]] Result<std::size_t> read_meta(ByteView meta_bytes, std::size_t at);
  [[nodiscard]] Status read_named(const TransferSyntax& syntax);
  [[nodiscard]] bool has_exact_meta(std::size_t length) const;
  void look_for_second_reading(Encoding taken);
  void take_guessed(DataSet data_set, Encoding encoding, const TransferSyntax* named);
  std::string name_;
  std::shared_ptr<const MappedFile> mapped_;  // one of the two holds what bytes() are
  std::shared_ptr<const Bytes> memory_;
  Bytes inflated_;
  DataSet meta_;
  DataSet data_set_;
  const TransferSyntax* transfer_syntax_ = nullptr;
  std::unique_ptr<const TransferSyntax> own_syntax_;  // where no entry of the table fits
  bool has_preamble_ = false;
  std::uint64_t data_set_offset_ = 0;
  ByteView data_set_bytes_;
  std::vector<Note> notes_;
  std::unique_ptr<Budget> budget_;
};

/// Whether a file is called as images are: DICOMDIR, the endings of images, or no ending in letters
/// but a digit (a UID, IM000001).
[[nodiscard]] bool has_image_name(const std::filesystem::path& path);

}  // namespace fiducia::dicom
