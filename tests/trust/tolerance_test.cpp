// SPDX-License-Identifier: Apache-2.0
#include "trust/tolerance.h"

#include <gtest/gtest.h>

#include "finding/finding.h"
#include "seal/hospital.h"
#include "seal/images.h"

namespace fiducia::trust {
namespace {

constexpr dicom::Tag retrieve_ae{0x0008, 0x0054};
constexpr dicom::Tag status{0x0032, 0x000A};

/// Every tag that PS3.6 names, by the groups that have any (of repeating ones the first).
std::vector<dicom::Tag> all_attributes() {
  constexpr std::uint16_t groups[] = {
      0x0000, 0x0002, 0x0004, 0x0008, 0x0010, 0x0012, 0x0014, 0x0016, 0x0018, 0x0020, 0x0022,
      0x0024, 0x0028, 0x0032, 0x0034, 0x0038, 0x003A, 0x0040, 0x0042, 0x0044, 0x0046, 0x0048,
      0x0050, 0x0052, 0x0054, 0x0060, 0x0062, 0x0064, 0x0066, 0x0068, 0x006A, 0x0070, 0x0072,
      0x0074, 0x0076, 0x0078, 0x0080, 0x0082, 0x0088, 0x0100, 0x0400, 0x2000, 0x2010, 0x2020,
      0x2030, 0x2040, 0x2050, 0x2100, 0x2110, 0x2120, 0x2130, 0x2200, 0x3002, 0x3004, 0x3006,
      0x3008, 0x300A, 0x300C, 0x300E, 0x3010, 0x4000, 0x4008, 0x4010, 0x4FFE, 0x5200, 0x5400,
      0x5600, 0x7FE0, 0xFFFA, 0xFFFC, 0x5000, 0x6000};
  std::vector<dicom::Tag> out;
  for (const std::uint16_t group : groups)
    for (std::uint32_t element = 0; element < 0x10000; ++element) {
      const dicom::Tag tag{group, static_cast<std::uint16_t>(element)};
      const auto entry = dicom::find_dictionary_entry(tag);
      if (entry && !entry->keyword.empty()) out.push_back(tag);
    }
  return out;
}

ToleranceRule rule_for(dicom::Tag tag) {
  return {.name = "mine",
          .tag = tag,
          .change = HeaderChange::removed,
          .from = {},
          .to = {},
          .severity = finding::Severity::note};
}

Result<Trust> trust_with(const std::string& section) {
  return read_trust("version = 1\nserial = 1\n" + section, "trust.toml");
}
std::string one_rule(const std::string& attribute, const std::string& rest) {
  return "[[tolerance.rule]]\nname = \"mine\"\nattribute = \"" + attribute + "\"\n" + rest;
}

TEST(Tolerance, covers_no_attribute_of_the_standard_but_the_closed_list) {
  const std::vector<dicom::Tag> attributes = all_attributes();
  ASSERT_GT(attributes.size(), 4000U);
  std::size_t taken = 0;
  for (const dicom::Tag tag : attributes) {
    const bool listed =
        std::ranges::find(tolerable_attributes(), tag) != tolerable_attributes().end();
    const auto wrong = what_is_wrong_with(rule_for(tag));
    EXPECT_EQ(!wrong.has_value(), listed) << dicom::to_string(tag) << " " << wrong.value_or("");
    taken += listed ? 1U : 0U;
  }
  EXPECT_EQ(taken, tolerable_attributes().size()) << "each of them is named by PS3.6";
  for (const dicom::Tag tag : {dicom::Tag{0x0009, 0x0010}, dicom::Tag{0x0029, 0x1010}})
    EXPECT_TRUE(what_is_wrong_with(rule_for(tag)).has_value()) << "private";
}

// The closed list itself is held against what must never be on it: whole groups, sequences, numbers
// of pixels, and by name what makes an image somebody's, the right way round, and what it is.
TEST(Tolerance, has_nothing_on_its_list_that_a_picture_or_a_diagnosis_depends_on) {
  for (const dicom::Tag tag : tolerable_attributes()) {
    const auto entry = dicom::find_dictionary_entry(tag);
    ASSERT_TRUE(entry.has_value()) << dicom::to_string(tag);
    for (const dicom::Vr vr : entry->vrs) EXPECT_NE(vr, dicom::vr::sq) << entry->keyword;
    for (const int group :
         {0x0002, 0x0010, 0x0012, 0x0014, 0x0018, 0x0022, 0x0048, 0x0050, 0x0054, 0x0062, 0x0064,
          0x0066, 0x0070, 0x2050, 0x3002, 0x3004, 0x3006, 0x300A, 0x300C, 0x5400, 0x7FE0})
      EXPECT_NE(tag.group, group) << entry->keyword;
    EXPECT_FALSE(tag.group >= 0x5000 && tag.group < 0x6100) << entry->keyword;  // curves, overlays
    for (const std::string_view part :
         {"Patient's",       "UID of",       "Accession",  "Orientation", "Spacing",  "Position",
          "Window",          "LUT",          "Lookup",     "Laterality",  "Pixel",    "Rescale",
          "Frame",           "Rows",         "Columns",    "Bits",        "Palette",  "Photometric",
          "Physician",       "Description",  "Comment",    "Date",        "Time",     "Device",
          "Burned",          "Lossy",        "Derivation", "Icon",        "Modality", "Study ID",
          "Instance Number", "Series Number"})
      EXPECT_EQ(entry->name.find(part), std::string_view::npos) << entry->name;
  }
  for (const char* keyword : {"SOPClassUID",
                              "SOPInstanceUID",
                              "StudyInstanceUID",
                              "SeriesInstanceUID",
                              "FrameOfReferenceUID",
                              "AccessionNumber",
                              "PatientName",
                              "PatientID",
                              "PatientBirthDate",
                              "PatientSex",
                              "PatientOrientation",
                              "PatientPosition",
                              "StudyID",
                              "SeriesNumber",
                              "InstanceNumber",
                              "ImageOrientationPatient",
                              "ImagePositionPatient",
                              "PixelSpacing",
                              "ImagerPixelSpacing",
                              "SliceThickness",
                              "SpacingBetweenSlices",
                              "Laterality",
                              "ImageLaterality",
                              "FrameLaterality",
                              "WindowCenter",
                              "WindowWidth",
                              "RescaleSlope",
                              "RescaleIntercept",
                              "VOILUTFunction",
                              "VOILUTSequence",
                              "ModalityLUTSequence",
                              "PresentationLUTShape",
                              "PixelPaddingValue",
                              "PhotometricInterpretation",
                              "NumberOfFrames",
                              "RedPaletteColorLookupTableData",
                              "Rows",
                              "Columns",
                              "BitsStored",
                              "PixelRepresentation",
                              "PixelData",
                              "FloatPixelData",
                              "OverlayData",
                              "IconImageSequence",
                              "WaveformSequence",
                              "BurnedInAnnotation",
                              "LossyImageCompression",
                              "DerivationDescription",
                              "ImageType",
                              "ImageComments",
                              "StudyDescription",
                              "SeriesDescription",
                              "BodyPartExamined",
                              "Modality",
                              "ViewPosition",
                              "StudyDate",
                              "SeriesDate",
                              "AcquisitionDate",
                              "ContentDate",
                              "StudyTime",
                              "TimezoneOffsetFromUTC",
                              "SpecificCharacterSet",
                              "ContentSequence",
                              "TextValue",
                              "EncapsulatedDocument",
                              "DigitalSignaturesSequence",
                              "OriginalAttributesSequence"}) {
    const auto tag = dicom::find_tag(keyword);
    ASSERT_TRUE(tag.has_value()) << keyword;
    const auto trust = trust_with(one_rule(keyword, "change = \"removed\"\nseverity = \"note\"\n"));
    ASSERT_FALSE(trust.has_value()) << keyword;
    EXPECT_EQ(trust.error().code, ErrorCode::config_invalid);
    EXPECT_NE(trust.error().what.find("is never tolerated"), std::string::npos)
        << trust.error().what;
    EXPECT_NE(trust.error().what.find(dicom::find_dictionary_entry(*tag)->name), std::string::npos)
        << trust.error().what;
  }
}

TEST(Tolerance, of_a_trust_file_comes_back_as_it_was_written) {
  Trust trust;
  trust.tolerance = Tolerance{std::string(default_tolerance_profile), {}};
  EXPECT_EQ(read_trust(write_trust(trust), "t").value().tolerance, trust.tolerance);
  trust.tolerance->profile.clear();
  trust.tolerance->rules = {{.name = "archive \"one\"",
                             .tag = retrieve_ae,
                             .change = HeaderChange::altered,
                             .from = {"", "PACS1"},
                             .to = {"PACS2"},
                             .severity = finding::Severity::warning},
                            {.name = "counts",
                             .tag = {0x0020, 0x1208},
                             .change = HeaderChange::added,
                             .from = {},
                             .to = {},
                             .severity = finding::Severity::note}};
  const auto again = read_trust(write_trust(trust), "t");
  ASSERT_TRUE(again.has_value()) << to_sentence(again.error());
  EXPECT_EQ(again->tolerance, trust.tolerance);
  EXPECT_EQ(write_trust(*again), write_trust(trust));
}

TEST(Tolerance, of_a_trust_file_says_something_that_can_be_kept) {
  const std::string removed = "change = \"removed\"\nseverity = \"note\"\n";
  const std::pair<std::string, const char*> rows[] = {
      {"tolerance = \"default-1\"\n", "write [tolerance]"},
      {"[tolerance]\n", "says nothing"},
      {"[tolerance]\nprofile = \"default-2\"\n", "default-1"},
      {"[tolerance]\nprofile = \"default-1\"\nprofiles = 1\n", "unknown key"},
      {one_rule("0008,0054", removed), "not a keyword of PS3.6"},
      {one_rule("NoSuchKeyword", removed), "not a keyword of PS3.6"},
      {one_rule("RetrieveAETitle", "change = \"moved\"\nseverity = \"note\"\n"),
       "added, removed or altered"},
      {one_rule("RetrieveAETitle", "change = \"removed\"\nseverity = \"alarm\"\n"),
       "note or warning"},
      {one_rule("RetrieveAETitle", "change = \"removed\"\n"), "\"severity\""},
      {one_rule("RetrieveAETitle", removed + "to = [\"A\"]\n"), "leave out \"to\""},
      {one_rule("RetrieveAETitle", "change = \"added\"\nseverity = \"note\"\nfrom = [\"A\"]\n"),
       "leave out \"from\""},
      {one_rule("RetrieveAETitle", "change = \"altered\"\nseverity = \"note\"\n"),
       "which values it may have now"},
      {one_rule("RetrieveAETitle", removed + "from = []\n"), "at least one"},
      {one_rule("RetrieveAETitle", removed + "from = [\"A\", \"A\"]\n"), "twice"},
      {one_rule("RetrieveAETitle", removed + "from = [\"\xC3\xBC\"]\n"), "plain ASCII"},
      {one_rule("ImageDimensions", removed + "from = [\"2\"]\n"), "is no text"},
      {one_rule("RetrieveAETitle", removed) + one_rule("RetrieveAETitle", removed), "twice"},
  };
  for (const auto& [text, says] : rows) {
    const auto trust = trust_with(text);
    ASSERT_FALSE(trust.has_value()) << text;
    EXPECT_EQ(trust.error().code, ErrorCode::config_invalid);
    EXPECT_NE(trust.error().what.find(says), std::string::npos) << trust.error().what;
    EXPECT_NE(trust.error().what.find("Line "), std::string::npos) << trust.error().what;
  }
  EXPECT_TRUE(trust_with(one_rule("ImageDimensions", removed + "from = [\"\"]\n")).has_value());
}

TEST(Tolerance, is_empty_where_the_trust_file_does_not_speak_of_it) {
  EXPECT_FALSE(trust_with("").value().tolerance.has_value());
  EXPECT_FALSE(read_trust(write_trust(Trust{}), "t").value().tolerance.has_value());
}

class ToleratedHeader : public testing::Test {
 protected:
  using Data = test::DicomDataSet;
  static Data image() {
    std::mt19937_64 prng{1};  // the same pixels each time
    const test::ImageShape shape{.rows = 70, .columns = 70, .frames = 1};
    return test::image_data_set(shape, test::random_samples(prng, shape));
  }
  static Data with(dicom::Tag tag, std::string_view vr, std::string_view text) {
    Data d = image();
    d.text(tag, vr, text).sort();
    return d;
  }
  seal::VerifyResult judge(const Data& sealed, const Data& now, std::optional<Tolerance> tolerance,
                           std::string_view syntax = test::explicit_le) {
    hospital_.trust().tolerance = std::move(tolerance);
    const Bytes evidence = hospital_.seal(test::read_dicom(sealed.file(test::explicit_le)));
    return hospital_.verify(now.file(syntax), evidence);
  }
  static Tolerance by_default() { return {std::string(default_tolerance_profile), {}}; }
  static Tolerance own(HeaderChange change, std::vector<std::string> from,
                       std::vector<std::string> to,
                       finding::Severity severity = finding::Severity::warning,
                       dicom::Tag tag = retrieve_ae) {
    return {"",
            {{.name = "mine",
              .tag = tag,
              .change = change,
              .from = std::move(from),
              .to = std::move(to),
              .severity = severity}}};
  }
  test::Hospital hospital_;
};

TEST_F(ToleratedHeader, is_authentic_by_the_profile_and_altered_without) {
  const Data before = with(status, "CS", "COMPLETED");
  for (const std::string_view syntax : {test::explicit_le, test::implicit_le, test::explicit_be}) {
    const seal::VerifyResult with_it = judge(before, image(), by_default(), syntax);
    EXPECT_EQ(with_it.verdict, finding::Verdict::authentic) << test::describe(with_it);
    const finding::Finding* finding = test::find_code(with_it, "tolerated");
    ASSERT_NE(finding, nullptr) << test::describe(with_it);
    EXPECT_EQ(finding->severity, finding::Severity::note);
    EXPECT_EQ(finding->attribute, "(0032,000A)");
    for (const char* part : {"Study Status ID", "removed", "retired-StudyStatusID", "default-1"})
      EXPECT_NE(finding->text.find(part), std::string::npos) << finding->text;
    ASSERT_TRUE(with_it.tolerance.has_value());
    EXPECT_EQ(with_it.tolerance->profile, "default-1");
  }
  const seal::VerifyResult without = judge(before, image(), std::nullopt);
  EXPECT_EQ(without.verdict, finding::Verdict::altered);
  EXPECT_NE(test::find_code(without, "attribute.removed"), nullptr) << test::describe(without);
  EXPECT_FALSE(without.tolerance.has_value());
  // The profile does not speak of one that was added or changed.
  EXPECT_EQ(judge(image(), before, by_default()).verdict, finding::Verdict::altered);
  EXPECT_EQ(judge(before, with(status, "CS", "VERIFIED"), by_default()).verdict,
            finding::Verdict::altered);
}

TEST_F(ToleratedHeader, hides_no_other_difference) {
  Data now = image();
  now.text({0x0010, 0x4000}, "LT", "added").sort();
  const seal::VerifyResult result = judge(with(status, "CS", "COMPLETED"), now, by_default());
  EXPECT_EQ(result.verdict, finding::Verdict::altered);
  EXPECT_NE(test::find_code(result, "tolerated"), nullptr) << test::describe(result);
  EXPECT_EQ(result.findings.front().attribute, "(0010,4000)");
}

TEST_F(ToleratedHeader, may_differ_only_as_an_own_rule_says) {
  const Data none = image();
  const auto ae = [](std::string_view text) { return with(retrieve_ae, "AE", text); };
  struct Row {
    Data sealed, now;
    Tolerance tolerance;
    bool tolerated;
  };
  using enum HeaderChange;
  const Row rows[] = {
      {none, ae("PACS"), own(added, {}, {}), true},
      {none, ae("PACS"), own(added, {}, {"PACS", "OTHER"}), true},
      {none, ae("PACS "), own(added, {}, {"PACS"}), true},
      {none, ae("EVIL"), own(added, {}, {"PACS"}), false},
      {none, ae(""), own(added, {}, {""}), true},
      {none, ae("PACS"), own(added, {}, {""}), false},
      {ae("PACS"), none, own(removed, {}, {}), true},
      {ae("PACS"), none, own(removed, {"PACS"}, {}), true},
      {ae("PACS"), none, own(removed, {""}, {}), false},
      {ae(""), none, own(removed, {""}, {}), true},
      {ae("PACS"), none, own(added, {}, {}), false},
      {ae("PACS"), ae("PACS2"), own(altered, {"PACS"}, {"PACS2"}), true},
      {ae("PACS"), ae("PACS2"), own(altered, {}, {"PACS2"}), true},
      {ae("PACS"), ae("PACS3"), own(altered, {}, {"PACS2"}), false},
      {ae("OLD"), ae("PACS2"), own(altered, {"PACS"}, {"PACS2"}), false},
      {ae("PACS"), ae(""), own(altered, {}, {""}), true},
  };
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const seal::VerifyResult result = judge(rows[i].sealed, rows[i].now, rows[i].tolerance);
    EXPECT_EQ(result.verdict,
              rows[i].tolerated ? finding::Verdict::authentic : finding::Verdict::altered)
        << i << "\n"
        << test::describe(result);
    const finding::Finding* finding = test::find_code(result, "tolerated");
    ASSERT_EQ(finding != nullptr, rows[i].tolerated) << i;
    if (finding == nullptr) continue;
    EXPECT_EQ(finding->severity, finding::Severity::warning);
  }
}

// A trust file cannot say this; a program that fills Trust by hand shall not either.
TEST_F(ToleratedHeader, is_never_one_outside_of_the_closed_list) {
  const dicom::Tag comments{0x0010, 0x4000};
  EXPECT_EQ(judge(image(), with(comments, "LT", "x"),
                  own(HeaderChange::added, {}, {}, finding::Severity::note, comments))
                .verdict,
            finding::Verdict::altered);
}

TEST_F(ToleratedHeader, is_one_at_the_top_level_that_stands_once) {
  const Tolerance tolerance = own(HeaderChange::added, {}, {});
  Data twice = image();
  twice.text(retrieve_ae, "AE", "PACS").text(retrieve_ae, "AE", "PACS").sort();
  EXPECT_EQ(judge(image(), twice, tolerance).verdict, finding::Verdict::altered);
  // Under a VR that readers take otherwise it is ambiguous, whatever the rule says.
  EXPECT_EQ(judge(image(), with(retrieve_ae, "OB", "PACS"), tolerance).verdict,
            finding::Verdict::altered);
}

}  // namespace
}  // namespace fiducia::trust
