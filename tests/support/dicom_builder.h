// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "dicom/tag.h"

/// Writes DICOM data sets and files for tests: small, plain, independent of the reader and
/// writer under test, and able to write what they must refuse.
///
///   test::DicomDataSet d;
///   d.text({0x0008, 0x0060}, "CS", "CT").us({0x0028, 0x0010}, 512);
///   d.private_creator(0x0029, 0x10, "ACME").bytes({0x0029, 0x1001}, "OB", test::bytes("0102"));
///   test::DicomDataSet item;
///   item.text({0x0008, 0x0104}, "LO", "meaning");
///   d.sequence({0x0040, 0xA730}, {item, item}, test::Lengths::undefined);
///   d.encapsulated({fragment_1, fragment_2});
///   Bytes bare = d.encode(test::Syntax::explicit_le);
///   Bytes file = d.file("1.2.840.10008.1.2.1");  // Part 10, encoded as the UID says
namespace fiducia::test {

/// Whether a sequence and its items are written with defined or undefined length.
enum class Lengths : std::uint8_t {
  defined,
  undefined,
  undefined_sequence,  // items of defined length in a sequence of undefined length
  undefined_items,     // the other way round
};

/// How a data set is encoded (PS3.5 Annex A).
enum class Syntax : std::uint8_t { implicit_le, explicit_le, explicit_be };

struct DicomDataSet;

/// One element of the model. Values are little endian; writing swaps them where needed.
struct DicomElement {
  dicom::Tag tag;
  dicom::Vr vr;
  Bytes value = {};
  std::vector<DicomDataSet> items;  // SQ
  Lengths lengths = Lengths::defined;
  bool is_encapsulated = false;
  Bytes basic_offset_table = {};
  std::vector<Bytes> fragments = {};
  /// In explicit VR write VR UN and an implicit VR little endian value (PS3.5 section 6.2.2);
  /// sequences get the length that `lengths` says (CP-246).
  bool as_un = false;
  /// Written in place of the true length, to make hostile files.
  std::optional<std::uint32_t> false_length = {};
};

struct DicomDataSet {
  std::vector<DicomElement> elements = {};

  DicomDataSet& add(DicomElement element);
  /// `vr` as two letters. Text is padded to even length (UI with 00, others with a space).
  DicomDataSet& text(dicom::Tag tag, std::string_view vr, std::string_view value);
  /// Bytes as they are, odd length as well.
  DicomDataSet& bytes(dicom::Tag tag, std::string_view vr, Bytes value);
  DicomDataSet& us(dicom::Tag tag, std::uint16_t value);
  DicomDataSet& ul(dicom::Tag tag, std::uint32_t value);
  /// (group, block) LO: reserves (group, block00..blockFF) for `creator`.
  DicomDataSet& private_creator(std::uint16_t group, std::uint8_t block, std::string_view creator);
  DicomDataSet& sequence(dicom::Tag tag, std::vector<DicomDataSet> items,
                         Lengths lengths = Lengths::defined);
  /// Encapsulated Pixel Data (7FE0,0010) OB: the offset table item, then the fragments.
  DicomDataSet& encapsulated(std::vector<Bytes> fragments, Bytes basic_offset_table = {});

  /// Puts the elements in ascending order of their tags.
  DicomDataSet& sort();

  [[nodiscard]] Bytes encode(Syntax syntax) const;
  /// A Part 10 file: preamble, prefix, meta information, this data set. The encoding follows from
  /// the UID (…1.2 implicit, …1.2.2 big endian, …1.99 deflated, all others explicit little endian).
  [[nodiscard]] Bytes file(std::string_view transfer_syntax_uid) const;
};

/// A Part 10 file around any bytes. `false_group_length` replaces the value of (0002,0000).
[[nodiscard]] Bytes part10(std::string_view transfer_syntax_uid, ByteView data_set,
                           ByteView preamble = {},
                           std::optional<std::uint32_t> false_group_length = {});

/// A raw deflate stream (RFC 1951) of `bytes`, not padded.
[[nodiscard]] Bytes raw_deflate(ByteView bytes);

/// A random data set: standard and private elements of every VR, in ascending order, nested
/// sequences with all length forms up to `depth` deep, private blocks, now and then UN.
[[nodiscard]] DicomDataSet random_data_set(std::mt19937_64& prng, unsigned depth = 3);

}  // namespace fiducia::test
