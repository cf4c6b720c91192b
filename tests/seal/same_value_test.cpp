// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "finding/finding.h"
#include "hospital.h"
#include "images.h"
#include "seal/seal.h"

// The same value, written differently, is told apart from another value (spec/seal.md 5).
namespace fiducia::test {
namespace {

constexpr dicom::Tag private_tag{0x0029, 0x1001};

DicomDataSet with_private_block() {
  DicomDataSet d;
  d.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.7")
      .text({0x0008, 0x0018}, "UI", "1.2.3.4")
      .text({0x0010, 0x0010}, "PN", "DOE^JANE")
      .private_creator(0x0029, 0x10, "ACME");
  return d;
}

class SameValue : public testing::Test {
 protected:
  seal::VerifyResult judge(const DicomDataSet& before, const DicomDataSet& after,
                           std::string_view syntax = explicit_le) {
    const Bytes evidence = hospital_.seal(read_dicom(before.file(explicit_le)));
    return hospital_.verify(after.file(syntax), evidence);
  }
  /// One attribute under two VRs, with the same bytes.
  seal::VerifyResult judge_vrs(dicom::Tag tag, std::string_view sealed, std::string_view now,
                               const Bytes& value) {
    DicomDataSet before = with_private_block();
    before.bytes(tag, sealed, value).sort();
    DicomDataSet after = with_private_block();
    after.bytes(tag, now, value).sort();
    return judge(before, after);
  }
  static void expect_same(const seal::VerifyResult& result) {
    EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
    const finding::Finding* finding = find_code(result, "encoding.changed");
    ASSERT_NE(finding, nullptr) << describe(result);
    EXPECT_EQ(finding->severity, finding::Severity::note);
    EXPECT_TRUE(finding->text.contains("same value in another representation")) << finding->text;
  }
  static void expect_other(const seal::VerifyResult& result) {
    EXPECT_EQ(result.verdict, finding::Verdict::altered) << describe(result);
    const finding::Finding* finding = find_code(result, "attribute.altered");
    ASSERT_NE(finding, nullptr) << describe(result);
    EXPECT_TRUE(finding->text.contains("has the bytes that were sealed")) << finding->text;
  }
  Hospital hospital_;
};

struct VrRow {
  std::string_view sealed;
  std::string_view now;
  Bytes value;
  bool same;
};

Bytes text(std::string_view value) { return {as_bytes(value).begin(), as_bytes(value).end()}; }

TEST_F(SameValue, of_private_attributes_by_number_or_text) {
  for (const VrRow& row : {VrRow{"UL", "SL", bytes("60810044"), true},
                           VrRow{"SL", "UL", bytes("ffffff7f0100000000000000"), true},
                           VrRow{"UL", "SL", bytes("00000080"), false},
                           VrRow{"UL", "SL", bytes("0100000000000080"), false},
                           VrRow{"US", "SS", bytes("ff7f"), true},
                           VrRow{"SS", "US", bytes("0080"), false},
                           VrRow{"UV", "SV", bytes("0100000000000000"), true},
                           VrRow{"SV", "UV", bytes("0000000000000080"), false},
                           VrRow{"OB", "OW", bytes("01020304"), true},
                           VrRow{"UN", "SQ", {}, true},
                           VrRow{"LO", "SQ", {}, true},
                           VrRow{"FD", "US", {}, true},
                           VrRow{"DS", "LO", text("  "), true},
                           VrRow{"OB", "LO", text("  "), false},
                           VrRow{"UN", "FL", bytes("0000803f"), true},
                           VrRow{"LO", "SH", text("hello "), true},
                           VrRow{"LO", "UT", text("hello "), true},
                           VrRow{"LO", "UT", text("a\\b "), false},
                           VrRow{"LO", "ST", text(" lead "), false},
                           VrRow{"IS", "DS", text("12"), true},
                           VrRow{"DS", "LO", text("1.50"), true},
                           VrRow{"LO", "DS", text("1.50"), true},
                           VrRow{"LO", "IS", text("50E-1 "), false},
                           VrRow{"DS", "IS", text("1.50"), false},
                           VrRow{"IS", "SS", text("12"), false},
                           VrRow{"FL", "UL", bytes("0000803f"), false},
                           VrRow{"AT", "UL", bytes("10000020"), false},
                           VrRow{"US", "OB", bytes("0102"), false}}) {
    SCOPED_TRACE(std::string(row.sealed) + " as " + std::string(row.now) + " " + to_hex(row.value));
    const seal::VerifyResult result = judge_vrs(private_tag, row.sealed, row.now, row.value);
    if (row.same)
      expect_same(result);
    else
      expect_other(result);
  }
}

TEST_F(SameValue, of_standard_attributes_by_the_vrs_of_the_dictionary) {
  for (const dicom::Tag tag : {dicom::Tag{0x0028, 0x0106}}) {  // US or SS
    expect_same(judge_vrs(tag, "US", "SS", bytes("ff7f")));
    expect_other(judge_vrs(tag, "US", "SS", bytes("0080")));
    expect_other(judge_vrs(tag, "SS", "US", bytes("0080")));
  }
  // A tool corrects a text VR.
  expect_same(judge_vrs({0x0010, 0x4000}, "LO", "LT", text("hello ")));
  expect_other(judge_vrs({0x0010, 0x4000}, "LT", "LO", text("hello ")));
}

// No reader takes text under SQ for a value, and some stop there.
TEST_F(SameValue, is_none_of_text_under_sq) {
  for (const dicom::Tag tag : {private_tag, dicom::Tag{0x0010, 0x4000}}) {
    DicomDataSet before = with_private_block();
    before.bytes(tag, "LO", text("ANON")).sort();
    DicomDataSet after = with_private_block();
    after.bytes(tag, "OB", text("ANON")).sort();
    Bytes file = after.file(explicit_le);
    const auto letters = std::ranges::search(file, as_bytes("OB\0"));
    ASSERT_FALSE(letters.empty());
    std::ranges::copy(as_bytes("SQ"), letters.begin());
    const Bytes evidence = hospital_.seal(read_dicom(before.file(explicit_le)));
    const seal::VerifyResult result = hospital_.verify(file, evidence);
    expect_other(result);
    EXPECT_NE(find_code(result, "reading.ambiguous"), nullptr) << describe(result);
  }
}

// A private block that Latin 1 text stands in, with a binary value where the creator belongs.
TEST_F(SameValue, of_a_binary_value_in_the_place_of_a_creator) {
  const auto with = [](std::string_view term, std::string_view comment) {
    DicomDataSet d = with_private_block();
    d.text({0x0008, 0x0005}, "CS", term)
        .text({0x0010, 0x4000}, "LT", comment)
        .bytes({0x0011, 0x0010}, "FD", bytes("9a9999999999f13f"))
        .bytes({0x0011, 0x1001}, "LO", text("in no block "))
        .sort();
    return d;
  };
  const DicomDataSet latin = with("ISO_IR 100", "M\xFCller");
  const DicomDataSet utf = with("ISO_IR 192", "M\xC3\xBCller ");
  EXPECT_EQ(judge(latin, utf).verdict, finding::Verdict::authentic) << describe(judge(latin, utf));
  const seal::VerifyResult implicit = judge(latin, utf, implicit_le);
  EXPECT_EQ(implicit.verdict, finding::Verdict::authentic) << describe(implicit);
  DicomDataSet as_creator = utf;
  element_of(as_creator, {0x0011, 0x0010}).vr = dicom::vr::lo;
  const seal::VerifyResult back = judge(latin, as_creator);
  EXPECT_EQ(back.verdict, finding::Verdict::authentic) << describe(back);
  DicomDataSet other = utf;
  element_of(other, {0x0011, 0x0010}).value[0] = std::byte{0x9B};
  EXPECT_EQ(judge(latin, other).verdict, finding::Verdict::altered);
}

TEST_F(SameValue, of_one_frame_that_is_said_or_not) {
  const DicomDataSet none = with_private_block();
  for (const std::string_view one : {"1", "01", "+1", " 1 "}) {
    DicomDataSet d = with_private_block();
    d.text({0x0028, 0x0008}, "IS", one).sort();
    EXPECT_EQ(judge(none, d).verdict, finding::Verdict::authentic) << one;
    EXPECT_EQ(judge(d, none).verdict, finding::Verdict::authentic) << one;
  }
  for (const std::string_view other : {"", "2", "0", "-1", "1\\1", "1.0", "1E0"}) {
    DicomDataSet d = with_private_block();
    d.text({0x0028, 0x0008}, "IS", other).sort();
    EXPECT_EQ(judge(none, d).verdict, finding::Verdict::altered) << other;
    EXPECT_EQ(judge(d, none).verdict, finding::Verdict::altered) << other;
  }
  // Only at the top level, and only once.
  DicomDataSet d = with_private_block();
  d.text({0x0028, 0x0008}, "IS", "1").text({0x0028, 0x0008}, "IS", "1").sort();
  EXPECT_EQ(judge(none, d).verdict, finding::Verdict::altered);
  DicomDataSet item;
  item.text({0x0028, 0x0008}, "IS", "1");
  DicomDataSet with = with_private_block();
  with.sequence({0x0008, 0x1140}, {item}).sort();
  DicomDataSet without = with_private_block();
  without.sequence({0x0008, 0x1140}, {DicomDataSet{}}).sort();
  EXPECT_EQ(judge(with, without).verdict, finding::Verdict::altered);
}

TEST_F(SameValue, of_names_without_their_empty_components) {
  struct Row {
    std::string_view sealed;
    std::string_view now;
    bool same;
  };
  for (const Row& row :
       {Row{"DOE^JANE", "DOE^JANE^^^", true}, Row{"DOE^JANE^^^==", "DOE^JANE", true},
        Row{"DOE^^=X^^", "DOE=X", true}, Row{"DOE\\ROE^", "DOE^\\ROE", true}, Row{"^^^^", "", true},
        Row{"=", "", true}, Row{"DOE^^PAT", "DOE^PAT", false}, Row{"^JANE", "JANE", false},
        Row{"=DOE", "DOE", false}, Row{"DOE==X", "DOE=X", false}, Row{"DOE\\", "DOE", false},
        Row{" DOE", "DOE", false}}) {
    SCOPED_TRACE(std::string(row.sealed) + " and " + std::string(row.now));
    const auto named = [](std::string_view name) {
      DicomDataSet d = with_private_block();
      element_of(d, {0x0010, 0x0010}).value = text(name);
      if (name.size() % 2 != 0) element_of(d, {0x0010, 0x0010}).value.push_back(std::byte{' '});
      return d;
    };
    const finding::Verdict due = row.same ? finding::Verdict::authentic : finding::Verdict::altered;
    EXPECT_EQ(judge(named(row.sealed), named(row.now)).verdict, due);
    EXPECT_EQ(judge(named(row.now), named(row.sealed)).verdict, due);
  }
  // Elsewhere a caret is a character like others.
  DicomDataSet before = with_private_block();
  before.text({0x0010, 0x4000}, "LT", "A^^").sort();
  DicomDataSet after = with_private_block();
  after.text({0x0010, 0x4000}, "LT", "A").sort();
  EXPECT_EQ(judge(before, after).verdict, finding::Verdict::altered);
}

// GDCM and DCMTK give an unknown sequence with its delimiter another form of length.
TEST_F(SameValue, of_items_in_un_with_and_without_a_delimiter) {
  DicomDataSet item;
  item.text({0x0008, 0x0104}, "LO", "inner");
  Bytes items = bytes("feff00e0");
  const Bytes inner = item.encode(Syntax::implicit_le);
  for (unsigned shift = 0; shift < 32; shift += 8)
    items.push_back(static_cast<std::byte>(inner.size() >> shift));
  append(items, inner);
  Bytes delimited = items;
  append(delimited, bytes("feffdde000000000"));
  const auto with = [](Bytes value) {
    DicomDataSet d = with_private_block();
    d.bytes(private_tag, "UN", std::move(value)).sort();
    return d;
  };
  DicomDataSet undefined = with_private_block();
  undefined.sequence(private_tag, {item}, Lengths::undefined_sequence).sort();
  element_of(undefined, private_tag).as_un = true;
  DicomDataSet as_sequence = with_private_block();
  as_sequence.sequence(private_tag, {item}).sort();
  const DicomDataSet forms[] = {with(items), with(delimited), undefined, as_sequence};
  for (const DicomDataSet& before : forms)
    for (const DicomDataSet& after : forms) {
      const seal::VerifyResult result = judge(before, after);
      EXPECT_EQ(result.verdict, finding::Verdict::authentic) << describe(result);
    }
  // Bytes behind it are no part of any sequence.
  Bytes more = delimited;
  append(more, bytes("0102"));
  EXPECT_EQ(judge(with(delimited), with(more)).verdict, finding::Verdict::altered);
}

}  // namespace
}  // namespace fiducia::test
