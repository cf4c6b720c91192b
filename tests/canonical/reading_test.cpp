// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "evidence/evidence.h"
#include "finding/finding.h"
#include "seal/hospital.h"
#include "seal/images.h"

// One file, one reading (spec/seal.md 14): what readers take in different ways is never authentic.
namespace fiducia::test {
namespace {

DicomDataSet base() {
  DicomDataSet d;
  d.text({0x0008, 0x0005}, "CS", "ISO_IR 100")
      .text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.7")
      .text({0x0008, 0x0018}, "UI", "1.2.3.4")
      .text({0x0010, 0x0010}, "PN", "DOE^JANE")
      .text({0x0018, 0x0050}, "DS", "1.50")
      .text({0x2050, 0x0020}, "CS", "INVERSE");
  return d;
}

class Reading : public testing::Test {
 protected:
  Bytes seal(const DicomDataSet& d) { return hospital_.seal(read_dicom(d.file(explicit_le))); }
  seal::VerifyResult judge(const Bytes& file, const Bytes& evidence) {
    return hospital_.verify(file, evidence);
  }
  /// `change` alters a sealed file, and leaves it undecided when it was sealed so.
  void expect_ambiguous(const DicomDataSet& before, const DicomDataSet& after,
                        std::string_view attribute, std::string_view syntax = explicit_le) {
    const Bytes evidence = seal(before);
    const seal::VerifyResult untouched = judge(before.file(explicit_le), evidence);
    EXPECT_EQ(untouched.verdict, finding::Verdict::authentic) << describe(untouched);
    const Bytes mutant = after.file(syntax);
    const seal::VerifyResult changed = judge(mutant, evidence);
    EXPECT_EQ(changed.verdict, finding::Verdict::altered) << describe(changed);
    expect_finding(changed, attribute, finding::Severity::alarm);
    const Bytes own = hospital_.seal(read_dicom(mutant));
    const seal::VerifyResult as_sealed = judge(mutant, own);
    EXPECT_EQ(as_sealed.verdict, finding::Verdict::indeterminate) << describe(as_sealed);
    expect_finding(as_sealed, attribute, finding::Severity::warning);
    // Written properly again it still is not what the sealing device's viewers saw.
    const seal::VerifyResult repaired = judge(before.file(explicit_le), own);
    EXPECT_NE(repaired.verdict, finding::Verdict::authentic) << describe(repaired);
  }
  static void expect_finding(const seal::VerifyResult& result, std::string_view attribute,
                             finding::Severity severity) {
    EXPECT_TRUE(std::ranges::any_of(result.findings, [&](const finding::Finding& finding) {
      return finding.code == finding::Code::reading_ambiguous && finding.attribute == attribute &&
             finding.severity == severity;
    })) << describe(result);
  }
  Hospital hospital_;
};

TEST_F(Reading, a_standard_attribute_under_un) {
  for (const dicom::Tag tag : {dicom::Tag{0x0010, 0x0010}, dicom::Tag{0x2050, 0x0020},
                               dicom::Tag{0x0018, 0x0050}, dicom::Tag{0x0008, 0x0005}}) {
    DicomDataSet d = base();
    element_of(d, tag).vr = dicom::vr::un;
    expect_ambiguous(base(), d, dicom::to_string(tag));
  }
}

TEST_F(Reading, private_and_recent_attributes_may_be_under_un) {
  DicomDataSet d = base();
  d.text({0x0008, 0x001C}, "CS", "YES")  // Synthetic Data, newer than common dictionaries
      .private_creator(0x0029, 0x10, "ACME")
      .text({0x0029, 0x1001}, "LO", "hello")
      .sort();
  const Bytes evidence = seal(d);
  element_of(d, {0x0008, 0x001C}).vr = dicom::vr::un;
  element_of(d, {0x0029, 0x1001}).vr = dicom::vr::un;
  const seal::VerifyResult result = judge(d.file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
}

TEST_F(Reading, a_tool_that_put_all_attributes_under_un_altered_none) {
  DicomDataSet d = base();
  const Bytes evidence = seal(d);
  for (DicomElement& element : d.elements) element.vr = dicom::vr::un;
  seal::VerifyResult result = judge(d.file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::indeterminate) << describe(result);
  EXPECT_EQ(result.findings.front().severity, finding::Severity::warning) << describe(result);
  element_of(d, {0x0010, 0x0010}).value[0] = std::byte{'R'};
  result = judge(d.file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
}

TEST_F(Reading, a_vr_that_dicom_does_not_know) {
  DicomDataSet d = base();
  element_of(d, {0x2050, 0x0020}).vr = dicom::Vr{'Q', 'Q'};
  expect_ambiguous(base(), d, "(2050,0020)");
}

TEST_F(Reading, a_vr_that_reads_otherwise) {
  DicomDataSet before = base();
  before.bytes({0x0028, 0x3006}, "OW", bytes("0100020003000400")).sort();
  DicomDataSet d = before;
  element_of(d, {0x0028, 0x3006}).vr = dicom::vr::ob;
  expect_ambiguous(before, d, "(0028,3006)");
}

TEST_F(Reading, a_text_under_another_text_vr_reads_the_same) {
  DicomDataSet d = base();
  element_of(d, {0x2050, 0x0020}).vr = dicom::vr::lo;
  const Bytes evidence = seal(d);
  const seal::VerifyResult result = judge(d.file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
}

TEST_F(Reading, a_nul_inside_a_text) {
  for (const std::string_view value :
       {std::string_view("\0DOE^JANE ", 10), std::string_view("DOE^\0JANE ", 10),
        std::string_view("\0 DOE", 6)}) {
    DicomDataSet d = base();
    element_of(d, {0x0010, 0x0010}).value.assign(as_bytes(value).begin(), as_bytes(value).end());
    expect_ambiguous(base(), d, "(0010,0010)");
  }
  DicomDataSet d = base();
  const Bytes evidence = seal(d);
  const std::string_view padded("DOE^JANE\0\0", 10);
  element_of(d, {0x0010, 0x0010}).value.assign(as_bytes(padded).begin(), as_bytes(padded).end());
  const seal::VerifyResult result = judge(d.file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
}

// DCMTK shows a picture that such a term inverts not inverted.
TEST_F(Reading, a_code_string_that_a_nul_pads) {
  for (const std::string_view value :
       {std::string_view("INVERSE\0", 8), std::string_view("INVERSE \0\0", 10)}) {
    DicomDataSet d = base();
    element_of(d, {0x2050, 0x0020}).value.assign(as_bytes(value).begin(), as_bytes(value).end());
    expect_ambiguous(base(), d, "(2050,0020)");
  }
}

// DCMTK converts the text of items by the character set around them.
TEST_F(Reading, an_item_with_a_character_set_of_its_own) {
  const auto with = [](std::string_view term, std::string_view text) {
    DicomDataSet item;
    item.text({0x0008, 0x0005}, "CS", term).text({0x0040, 0x0280}, "ST", text);
    DicomDataSet d = base();
    d.sequence({0x0040, 0x0555}, {item}).sort();
    return d;
  };
  DicomDataSet inherited = with("ISO_IR 100", "M\xFCller");
  expect_ambiguous(inherited, with("ISO_IR 192", "M\xC3\xBCller"), "(0040,0555)[1].(0040,0280)");
  // Text that is ASCII is the same under both.
  const Bytes evidence = seal(with("ISO_IR 100", "Mueller"));
  const seal::VerifyResult ascii = judge(with("ISO_IR 192", "Mueller").file(explicit_le), evidence);
  EXPECT_EQ(ascii.verdict, finding::Verdict::authentic) << describe(ascii);
}

// An anonymiser writes text into a sequence.
TEST_F(Reading, text_where_a_sequence_belongs) {
  constexpr dicom::Tag tag{0x0008, 0x1110};
  DicomDataSet d = base();
  d.bytes(tag, "LO", test::bytes("414e4f4e594d495a4544")).sort();
  const Bytes evidence = seal(d);
  for (const std::string_view syntax : {explicit_le, implicit_le}) {
    const seal::VerifyResult result = judge(d.file(syntax), evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::indeterminate) << describe(result);
    expect_finding(result, "(0008,1110)", finding::Severity::warning);
  }
  element_of(d, tag).value[0] = std::byte{'B'};
  EXPECT_EQ(judge(d.file(implicit_le), evidence).verdict, finding::Verdict::altered);
  // Sealed in implicit VR, where the file itself says nothing else.
  const Bytes implicit = d.file(implicit_le);
  const Bytes own = hospital_.seal(read_dicom(implicit));
  const seal::VerifyResult result = judge(implicit, own);
  EXPECT_EQ(result.verdict, finding::Verdict::indeterminate) << describe(result);
}

TEST_F(Reading, a_length_that_the_vr_does_not_allow) {
  DicomDataSet before = base();
  before.us({0x0028, 0x0120}, 1).bytes({0x0018, 0x9073}, "FD", Bytes(8)).sort();
  DicomDataSet d = before;
  element_of(d, {0x0028, 0x0120}).value.resize(1);
  expect_ambiguous(before, d, "(0028,0120)");
  d = before;
  element_of(d, {0x0018, 0x9073}).value.resize(6);
  expect_ambiguous(before, d, "(0018,9073)");
}

TEST_F(Reading, what_has_no_leaf_has_one_form) {
  const auto with = [](dicom::Tag tag, const char* vr, const Bytes& value) {
    DicomDataSet d = base();
    d.bytes(tag, vr, value).sort();
    return d;
  };
  DicomDataSet before = with({0x0008, 0x0000}, "UL", bytes("44000000"));
  expect_ambiguous(before, with({0x0008, 0x0000}, "UL", Bytes(12)), "(0008,0000)");
  expect_ambiguous(before, with({0x0008, 0x0000}, "OB", Bytes(4)), "(0008,0000)");
  expect_ambiguous(base(), with({0x0008, 0x0001}, "OB", Bytes(64)), "(0008,0001)");
  expect_ambiguous(base(), with({0x0028, 0x0006}, "UL", Bytes(4)), "(0028,0006)");
  expect_ambiguous(base(), with({0x0028, 0x0006}, "US", Bytes(4)), "(0028,0006)");
  expect_ambiguous(base(), with({0x0028, 0x0006}, "US", bytes("0200")), "(0028,0006)");
  expect_ambiguous(base(), with({0x7FE0, 0x0001}, "OV", Bytes(8)), "(7FE0,0001)");
  expect_ambiguous(base(), with({0x7FE0, 0x0003}, "UV", Bytes(8)), "(7FE0,0003)");
  expect_ambiguous(base(), with({0x0000, 0x0002}, "UI", Bytes(8)), "(0000,0002)");
  expect_ambiguous(base(), with({0xFFFC, 0xFFFC}, "OW", Bytes(8)), "(FFFC,FFFC)");
}

TEST_F(Reading, an_attribute_that_stands_twice) {
  DicomDataSet before = base();
  before.us({0x0028, 0x0006}, 0).sort();
  for (const dicom::Tag tag :
       {dicom::Tag{0x0010, 0x0010}, dicom::Tag{0x0008, 0x0005}, dicom::Tag{0x0028, 0x0006}}) {
    DicomDataSet d = before;
    const DicomElement copy = element_of(d, tag);
    d.elements.push_back(copy);
    d.sort();
    expect_ambiguous(before, d, dicom::to_string(tag));
  }
}

TEST_F(Reading, padding_may_go_and_is_no_place_for_a_data_set) {
  DicomDataSet d = base();
  d.bytes({0xFFFC, 0xFFFC}, "OB", bytes("49492a0008000000"));
  const Bytes evidence = seal(d);
  seal::VerifyResult result = judge(base().file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
  DicomDataSet hiding = base();
  hiding.sequence({0xFFFC, 0xFFFC}, {base()});
  result = judge(hiding.file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  EXPECT_NE(find_code(result, "attribute.added"), nullptr) << describe(result);
}

TEST_F(Reading, a_dicom_signature_hides_nothing) {
  DicomDataSet item;
  item.us({0x0400, 0x0005}, 1).text({0x0400, 0x0010}, "UI", "1.2.840.10008.1.2.1");
  DicomDataSet d = base();
  d.sequence({0xFFFA, 0xFFFA}, {item});
  const Bytes evidence = seal(base());
  const seal::VerifyResult result = judge(d.file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
  item.text({0x0010, 0x0010}, "PN", "HIDDEN");
  DicomDataSet hiding = base();
  hiding.sequence({0xFFFA, 0xFFFA}, {item});
  expect_ambiguous(base(), hiding, "(FFFA,FFFA)");
}

// Groups that PS3.5 7.8.1 forbids: some readers stop at them, some drop them.
TEST_F(Reading, an_element_of_a_group_that_has_no_place) {
  constexpr std::array<std::uint16_t, 6> groups{0x0001, 0x0002, 0x0003, 0x0005, 0x0007, 0xFFFF};
  for (const std::uint16_t group : groups) {
    DicomDataSet d = base();
    d.bytes({group, 0x0100}, "OB", Bytes(4)).sort();
    // Group 0002 at the front is meta information, which is judged as a whole.
    if (group != 0x0002) expect_ambiguous(base(), d, dicom::to_string(dicom::Tag{group, 0x0100}));
    DicomDataSet item;
    item.bytes({group, 0x0100}, "OB", Bytes(4));
    DicomDataSet before = base();
    before.sequence({0x0040, 0x0555}, {DicomDataSet{}}).sort();
    DicomDataSet nested = base();
    nested.sequence({0x0040, 0x0555}, {item}).sort();
    expect_ambiguous(before, nested,
                     "(0040,0555)[1]." + dicom::to_string(dicom::Tag{group, 0x0100}));
  }
}

class ReadingOfPixelData : public Reading {
 protected:
  static DicomDataSet image(std::uint16_t bits, std::string_view vr) {
    DicomDataSet d = base();
    d.us({0x0028, 0x0002}, 1)
        .text({0x0028, 0x0004}, "CS", "MONOCHROME2")
        .us({0x0028, 0x0010}, 2)
        .us({0x0028, 0x0011}, 2)
        .us({0x0028, 0x0100}, bits)
        .us({0x0028, 0x0101}, bits)
        .us({0x0028, 0x0102}, static_cast<std::uint16_t>(bits - 1))
        .us({0x0028, 0x0103}, 0)
        .bytes({0x7FE0, 0x0010}, vr, Bytes(std::size_t{4} * bits / 8, std::byte{7}));
    return d.sort();
  }
};

// DCMTK decides between US and SS at the place where it reads them.
TEST_F(Reading, a_number_before_what_says_its_sign) {
  DicomDataSet d = base();
  d.us({0x0028, 0x0103}, 1).bytes({0x0028, 0x0106}, "SS", bytes("00f8")).sort();
  const Bytes evidence = seal(d);
  EXPECT_EQ(judge(d.file(implicit_le), evidence).verdict, finding::Verdict::authentic);
  DicomDataSet late = d;
  std::ranges::rotate(late.elements, std::ranges::find(late.elements, dicom::Tag{0x0028, 0x0106},
                                                       &DicomElement::tag));
  const seal::VerifyResult result = judge(late.file(implicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  expect_finding(result, "(0028,0106)", finding::Severity::alarm);
  const seal::VerifyResult explicit_vr = judge(late.file(explicit_le), evidence);
  EXPECT_EQ(explicit_vr.verdict, finding::Verdict::authentic) << describe(explicit_vr);
}

TEST_F(ReadingOfPixelData, under_a_vr_that_is_not_for_it) {
  expect_ambiguous(image(16, "OW"), image(16, "OB"), "(7FE0,0010)");
  expect_ambiguous(image(16, "OW"), image(16, "UN"), "(7FE0,0010)");
  expect_ambiguous(image(8, "OB"), image(8, "OL"), "(7FE0,0010)");
  const Bytes evidence = seal(image(8, "OB"));
  const seal::VerifyResult result = judge(image(8, "OW").file(explicit_le), evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
}

// The transfer syntax says one thing, the element another.
TEST_F(ReadingOfPixelData, in_another_form_than_its_transfer_syntax_has) {
  const DicomDataSet native = image(8, "OW");
  const Bytes evidence = seal(native);
  DicomDataSet d = native;
  d.elements.pop_back();
  d.encapsulated({Bytes(4, std::byte{7})});
  const seal::VerifyResult fragments = judge(d.file(explicit_le), evidence);
  EXPECT_EQ(fragments.verdict, finding::Verdict::altered) << describe(fragments);
  expect_finding(fragments, "", finding::Severity::alarm);
  constexpr std::string_view rle = "1.2.840.10008.1.2.5";
  const seal::VerifyResult no_fragments = judge(native.file(rle), evidence);
  EXPECT_EQ(no_fragments.verdict, finding::Verdict::altered) << describe(no_fragments);
  expect_finding(no_fragments, "", finding::Severity::alarm);
}

/// Changes of the file's bytes that are none of a data set.
class ReadingOfFile : public Reading {
 protected:
  void expect_file_ambiguous(const std::function<Bytes(Bytes)>& change,
                             std::string_view syntax = explicit_le) {
    const DicomDataSet d = base();
    const Bytes evidence = seal(d);
    Bytes file = d.file(syntax);
    EXPECT_EQ(judge(file, evidence).verdict, finding::Verdict::authentic);
    const Bytes changed = change(std::move(file));
    const seal::VerifyResult result = judge(changed, evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
    expect_finding(result, "", finding::Severity::alarm);
    const seal::VerifyResult as_sealed = judge(changed, hospital_.seal(read_dicom(changed)));
    EXPECT_EQ(as_sealed.verdict, finding::Verdict::indeterminate) << describe(as_sealed);
    expect_finding(as_sealed, "", finding::Severity::warning);
  }
  static constexpr std::size_t meta_at = 132;
};

TEST_F(ReadingOfFile, a_group_length_of_the_meta_information_that_is_wrong) {
  expect_file_ambiguous([](Bytes file) {
    file[meta_at + 8] = std::byte{0};
    return file;
  });
}

TEST_F(ReadingOfFile, a_transfer_syntax_that_is_empty) {
  const Bytes body = base().encode(Syntax::explicit_le);
  const Bytes file = part10("", body);
  const seal::VerifyResult result = judge(file, seal(base()));
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  expect_finding(result, "", finding::Severity::alarm);
}

// pydicom takes the group 0x2001 in the other order of bytes then.
TEST_F(ReadingOfFile, a_bare_data_set_that_begins_with_a_high_group) {
  DicomDataSet d = base();
  d.private_creator(0x2001, 0x10, "ACME").private_creator(0x01F1, 0x10, "ACME").sort();
  const Bytes evidence = seal(d);
  const auto first = [&](std::uint16_t group) {
    DicomDataSet out = d;
    const auto moved =
        std::ranges::find(out.elements, dicom::Tag{group, 0x0010}, &DicomElement::tag);
    std::rotate(out.elements.begin(), moved, moved + 1);
    return judge(out.encode(Syntax::explicit_le), evidence);
  };
  EXPECT_EQ(first(0x01F1).verdict, finding::Verdict::authentic) << describe(first(0x01F1));
  const seal::VerifyResult result = first(0x2001);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  expect_finding(result, "", finding::Severity::alarm);
}

TEST_F(ReadingOfFile, evidence_has_one_block_to_stand_in) {
  DicomDataSet d = base();
  d.private_creator(0x0F1D, 0x10, "FIDUCIA");
  EXPECT_TRUE(evidence::check_can_embed(read_dicom(d.file(explicit_le))).has_value());
  d.private_creator(0x0F1D, 0x11, "FIDUCIA");
  const Status twice = evidence::check_can_embed(read_dicom(d.file(explicit_le)));
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().code, ErrorCode::unsupported);
}

// A tool that loses the values of OB leaves our element without one.
TEST_F(ReadingOfFile, evidence_of_no_bytes_is_none) {
  for (const Bytes& value : {Bytes{}, Bytes(2)}) {
    DicomDataSet d = base();
    d.private_creator(0x0F1D, 0x10, "FIDUCIA").bytes({0x0F1D, 0x1001}, "OB", value).sort();
    hospital_.store().put("1.2.3.4", seal(base()));
    const seal::VerifyResult result =
        hospital_.verify_carried(d.file(explicit_le), &hospital_.store());
    EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
    EXPECT_NE(find_code(result, "seal.stripped"), nullptr) << describe(result);
  }
}

TEST_F(ReadingOfFile, a_data_set_that_is_not_in_the_encoding_that_the_file_names) {
  expect_file_ambiguous([](const Bytes& file) {
    Bytes body = base().file(implicit_le);
    const Bytes meta(file.begin(),
                     file.begin() + meta_at + 12 + load_le<std::uint32_t>(&file[meta_at + 8]));
    Bytes out = meta;
    const std::size_t body_at = meta_at + 12 + load_le<std::uint32_t>(&body[meta_at + 8]);
    out.insert(out.end(), body.begin() + static_cast<std::ptrdiff_t>(body_at), body.end());
    return out;
  });
}

TEST_F(ReadingOfFile, bytes_behind_a_deflated_data_set) {
  expect_file_ambiguous(
      [](Bytes file) {
        append(file, bytes("504b0304"));
        return file;
      },
      deflated_le);
}

TEST_F(ReadingOfFile, a_delimiter_with_a_length_or_without_need) {
  DicomDataSet item;
  item.text({0x0008, 0x1155}, "UI", "1.2.3");
  for (const bool undefined : {true, false}) {
    DicomDataSet d = base();
    d.sequence({0x3006, 0x0010}, {item}, undefined ? Lengths::undefined : Lengths::undefined_items);
    const Bytes evidence = seal(d);
    Bytes file = d.file(explicit_le);
    // The last bytes are the delimiter of the sequence, or that of the item.
    file[file.size() - 4] = std::byte{8};
    const seal::VerifyResult result = judge(file, evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
    expect_finding(result, "", finding::Severity::alarm);
    const seal::VerifyResult as_sealed = judge(file, hospital_.seal(read_dicom(file)));
    EXPECT_EQ(as_sealed.verdict, finding::Verdict::indeterminate) << describe(as_sealed);
  }
  // Behind an item of defined length.
  DicomDataSet d = base();
  d.sequence({0x3006, 0x0010}, {item}, Lengths::undefined_sequence);
  const Bytes evidence = seal(d);
  Bytes file = d.file(explicit_le);
  const Bytes stray = bytes("feff0de000000000");
  file.insert(file.end() - 8, stray.begin(), stray.end());
  const seal::VerifyResult result = judge(file, evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  expect_finding(result, "", finding::Severity::alarm);
}

// The data set is cut between an item and the delimiters that are due.
TEST_F(ReadingOfFile, delimiters_that_are_missing_at_the_end) {
  DicomDataSet item;
  item.text({0x0008, 0x1155}, "UI", "1.2.3");
  DicomDataSet d = base();
  d.sequence({0x3006, 0x0010}, {item}, Lengths::undefined);
  const Bytes evidence = seal(d);
  const Bytes whole = d.file(explicit_le);
  for (const std::size_t cut : {8U, 16U}) {
    const Bytes file(whole.begin(), whole.end() - static_cast<std::ptrdiff_t>(cut));
    const seal::VerifyResult result = judge(file, evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
    expect_finding(result, "", finding::Severity::alarm);
    const seal::VerifyResult as_sealed = judge(file, hospital_.seal(read_dicom(file)));
    EXPECT_EQ(as_sealed.verdict, finding::Verdict::indeterminate) << describe(as_sealed);
  }
  const Bytes file(whole.begin(), whole.end() - 18);  // within an element
  EXPECT_FALSE(dicom::File::read(file, "cut").has_value());
}

// Blanks or hyphens before a short length, or no VR at all.
TEST_F(Reading, an_element_without_a_vr) {
  const DicomDataSet d = [] {
    DicomDataSet out = base();
    out.us({0x0028, 0x0120}, 258).sort();
    return out;
  }();
  const Bytes evidence = seal(d);
  const Bytes file = d.file(explicit_le);
  const Bytes header = bytes("2800200155530200");
  for (const Bytes& odd : {bytes("2800200120200200"), bytes("280020012d2d0200"),
                           bytes("2800200100000200"), bytes("2800200102000000")}) {
    Bytes mutant = file;
    const auto at = std::ranges::search(mutant, header).begin();
    ASSERT_NE(at, mutant.end());
    std::ranges::copy(odd, at);
    const seal::VerifyResult result = judge(mutant, evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
    expect_finding(result, "(0028,0120)", finding::Severity::alarm);
    EXPECT_EQ(find_code(result, "attribute.altered"), nullptr) << describe(result);
    const seal::VerifyResult as_sealed = judge(mutant, hospital_.seal(read_dicom(mutant)));
    EXPECT_EQ(as_sealed.verdict, finding::Verdict::indeterminate) << describe(as_sealed);
    expect_finding(as_sealed, "(0028,0120)", finding::Severity::warning);
  }
}

TEST_F(Reading, two_data_sets_in_one_file_cannot_be_sealed) {
  // Length to End has a length that spells a VR: who looks for one reads on in explicit VR.
  DicomDataSet d = base();
  d.bytes({0x0008, 0x0001}, "UL", Bytes(0x4C55)).sort();
  const Bytes evidence = seal(base());
  const Bytes file = d.file(implicit_le);
  const seal::VerifyResult result = judge(file, evidence);
  EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
  expect_finding(result, "", finding::Severity::alarm);
  const auto draft =
      seal::draft_seal(read_dicom(file), hospital_.signer(), hospital_.now, nullptr, nullptr);
  ASSERT_FALSE(draft.has_value());
  EXPECT_EQ(draft.error().kind, "two_readings");
}

TEST_F(Reading, a_preamble_that_other_programs_run_or_show) {
  const Bytes evidence = seal(base());
  Bytes file = base().file(explicit_le);
  for (const auto& [magic, code] :
       {std::pair{"MZ", "preamble.executable"}, std::pair{"<html>", "preamble.executable"},
        std::pair{"II*", "preamble.tiff"}}) {
    std::ranges::fill(std::span{file}.first(128), std::byte{0});
    std::ranges::copy(as_bytes(magic), file.begin());
    const seal::VerifyResult result = judge(file, evidence);
    EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
    EXPECT_NE(find_code(result, code), nullptr) << describe(result);
  }
}

}  // namespace
}  // namespace fiducia::test
