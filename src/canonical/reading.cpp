// SPDX-License-Identifier: Apache-2.0
#include "canonical/reading.h"

#include <algorithm>
#include <array>

#include "canonical/value.h"
#include "canonical/vr_change.h"

namespace fiducia::canonical {
namespace {

namespace v = dicom::vr;

/// VRs under which every reader gets the same value share a class: texts but numbers as text.
std::uint16_t reading_class(dicom::Vr vr) {
  return dicom::is_text(vr) && vr != v::ds && vr != v::is ? v::lo.code() : vr.code();
}

/// Bytes that a value of this VR is a multiple of (PS3.5 6.2).
unsigned unit_bytes(dicom::Vr vr) { return vr == v::at ? 4 : dicom::swap_unit_bytes(vr); }

bool says_vr(const dicom::Element& element) { return element.file_vr != dicom::Vr{}; }

/// Explicit VR says UN for what every reader with a dictionary knows under another VR.
bool is_standard_under_un(const dicom::Element& element) {
  if (element.file_vr != v::un || element.tag.is_private()) return false;
  const auto entry = dicom::find_dictionary_entry(element.tag);
  return entry && !dicom::is_recent(element.tag) && !entry->allows(v::un);
}

/// By the file, or by PS3.6 where the file does not say it.
bool is_said_to_be_sequence(const dicom::Element& element) {
  if (says_vr(element)) return element.file_vr == v::sq;
  const auto entry = dicom::find_dictionary_entry(element.tag);
  return entry && entry->allows(v::sq);
}

/// A value where every reader with a dictionary, or the VR itself, expects the items of a sequence.
bool is_no_sequence(const dicom::Element& element) {
  return element.vr != v::sq && is_said_to_be_sequence(element) &&
         (says_vr(element) || !element.value.empty());
}

bool is_us_or_ss(dicom::Tag tag) {
  const auto entry = dicom::find_dictionary_entry(tag);
  return entry && entry->allows(v::us) && entry->allows(v::ss);
}

bool is_foreign_vr(const dicom::Element& element) {
  if (!says_vr(element) || element.file_vr == v::un || !dicom::is_known_vr(element.file_vr) ||
      element.tag.is_private())
    return false;
  const auto entry = dicom::find_dictionary_entry(element.tag);
  const auto reads_alike = [&](dicom::Vr allowed) {
    return reading_class(allowed) == reading_class(element.file_vr);
  };
  return entry && std::ranges::none_of(entry->vrs, reads_alike) && !dicom::is_recent(element.tag);
}

/// A NUL that is not padding: one before the last character that is neither NUL nor space, or any
/// in a code string, which readers compare with terms.
bool has_odd_nul(dicom::Vr vr, ByteView value) {
  const std::string_view text = as_text(value);
  return (vr == v::cs ? text : dicom::without_padding(text)).contains('\0');
}

/// Whether each reader shows these bytes alike, whatever the character set.
bool is_ascii(ByteView value) {
  return std::ranges::all_of(
      value, [](std::byte b) { return b < std::byte{0x80} && b != std::byte{0x1B}; });
}

/// Whether ASCII is itself in this set for those too that know it by another name: names that do
/// not begin like those of PS3.3 C.12.1.1.2 may be anything elsewhere (pydicom takes Python's
/// codecs).
bool is_like_ascii(const TextEncoding& encoding) {
  if (encoding.set.is_known()) return true;
  for (std::string_view rest = encoding.term; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\\'), rest.size());
    const std::string_view term = dicom::trimmed(rest.substr(0, end));
    if (!term.empty() && !term.starts_with("ISO") && !term.starts_with("GB")) return false;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return true;
}

/// G0 is designated ASCII again, and characters of G1 follow: pydicom takes them for Latin-1.
bool has_ascii_before_g1(ByteView value) {
  const std::string_view text = as_text(value);
  const std::size_t back = text.find("\x1B(B");
  if (back == text.npos) return false;
  for (std::size_t at = back + 3; at < text.size(); ++at) {
    if (text[at] == '\x1B' && at + 1 < text.size() && text[at + 1] != '(') return false;
    if (static_cast<signed char>(text[at]) < 0) return true;
  }
  return false;
}

/// ISO 8859-15, which came in 2022: DCMTK 3.6.7 and pydicom 2.3.1 do not know it.
bool has_latin_9(const TextEncoding& encoding) {
  return encoding.term.contains("IR 203") || encoding.term.contains("IR_203");
}

bool is_text_doubtful(const TextEncoding& encoding, ByteView value) {
  if (is_ascii(value)) return !is_like_ascii(encoding);
  return encoding.differs_in_item || !encoding.set.is_known() || has_latin_9(encoding) ||
         has_ascii_before_g1(value);
}

bool is_odd_length(const dicom::Element& element, dicom::Vr vr) {
  if (element.encapsulated || vr == v::sq) return false;
  const std::size_t size = element.value.size();
  return size % 2 != 0 || size % unit_bytes(vr) != 0;
}

/// Groups that PS3.5 7.8.1 forbids, and command and meta elements.
bool is_misplaced(dicom::Tag tag) {
  return tag.group == 0x0000 || tag.group == 0x0002 || tag.group == 0x0001 || tag.group == 0x0003 ||
         tag.group == 0x0005 || tag.group == 0x0007 || tag.group == 0xFFFF;
}

bool is_form(const dicom::Element& element, dicom::Vr vr, std::size_t bytes) {
  return (!says_vr(element) || element.file_vr == vr) && element.value.size() == bytes;
}

class Scan {
 public:
  Scan(const dicom::File& file, const CanonicalHeader& header, std::vector<Ambiguity>& out)
      : file_(file), header_(header), out_(out) {}

  void run() {
    for (const dicom::Note& note : file_.notes()) take_note(note.code);
    if (is_out_of_order()) add(AmbiguityKind::order);
    for (const HeaderLeaf& leaf : header_.leaves()) {
      common(leaf);
      // The element before it may have no leaf.
      if (leaf.duplicate || leaf.element->duplicate) add(AmbiguityKind::duplicate, leaf);
    }
    for (const HeaderLeaf& leaf : header_.left_out()) {
      if (leaf.is_pixel_data) {
        pixel_data(leaf);
        continue;
      }
      common(leaf);
      if (!has_exact_form(leaf)) add(AmbiguityKind::form_without_leaf, leaf);
    }
  }

 private:
  void add(AmbiguityKind kind, const HeaderLeaf& leaf) {
    const ByteView path = header_.path(leaf);
    out_.push_back({kind, Bytes(path.begin(), path.end())});
  }
  void add(AmbiguityKind kind) { out_.push_back({kind, {}}); }

  void take_note(std::string_view code) {
    struct Row {
      std::string_view code;
      AmbiguityKind kind;
    };
    static constexpr std::array rows{
        Row{"wrong_transfer_syntax", AmbiguityKind::other_encoding},
        Row{"guessed_otherwise", AmbiguityKind::other_encoding},
        Row{"two_readings", AmbiguityKind::two_readings},
        Row{"meta_irregular", AmbiguityKind::meta_information},
        Row{"stray_delimiter", AmbiguityKind::delimiter},
        Row{"delimiter_length", AmbiguityKind::delimiter},
        Row{"missing_delimiter", AmbiguityKind::delimiter},
        Row{"bytes_after_deflate", AmbiguityKind::surplus_bytes},
        Row{"pixel_data_form", AmbiguityKind::pixel_data_form},
    };
    for (const Row& row : rows)
      if (row.code == code) add(row.kind);
  }

  /// Whether a sequence stands before the character set, or anything behind Pixel Data that belongs
  /// before it: some decode and stop as they read.
  [[nodiscard]] bool is_out_of_order() const {
    const dicom::DataSet& data_set = file_.data_set();
    bool has_sequence = false;
    bool has_pixels = false;
    for (auto i = data_set.first(); i != dicom::no_index; i = data_set.element(i).next) {
      const dicom::Element& element = data_set.element(i);
      if (element.tag == dicom::tags::specific_character_set && has_sequence) return true;
      if (element.tag < dicom::tags::pixel_data && has_pixels) return true;
      has_sequence = has_sequence || is_said_to_be_sequence(element);
      has_pixels = has_pixels || element.tag == dicom::tags::pixel_data;
    }
    return false;
  }

  /// What can be wrong with any element.
  void common(const HeaderLeaf& leaf) {
    const dicom::Element& element = *leaf.element;
    if (is_misplaced(element.tag)) add(AmbiguityKind::misplaced, leaf);
    if (is_standard_under_un(element)) add(AmbiguityKind::standard_under_un, leaf);
    if (says_vr(element) && !dicom::is_known_vr(element.file_vr))
      add(AmbiguityKind::unknown_vr, leaf);
    if (is_foreign_vr(element) || is_no_sequence(element)) add(AmbiguityKind::foreign_vr, leaf);
    if (leaf.is_sequence) return;
    if (is_sign_by_place(leaf)) add(AmbiguityKind::sign_by_place, leaf);
    const TextEncoding& encoding = *leaf.text_encoding;
    if (dicom::has_character_set(leaf.vr) && !element.value.empty() &&
        is_text_doubtful(encoding, element.value))
      add(AmbiguityKind::character_set, leaf);
    if (is_odd_length(element, leaf.vr)) add(AmbiguityKind::value_length, leaf);
    if (dicom::is_text(leaf.vr) && has_odd_nul(leaf.vr, element.value))
      add(AmbiguityKind::nul_in_text, leaf);
  }

  /// Some readers take the sign of such a value from what they have read so far.
  [[nodiscard]] bool is_sign_by_place(const HeaderLeaf& leaf) const {
    const dicom::Element& element = *leaf.element;
    if (says_vr(element) || !is_us_or_ss(element.tag) || !has_high_bit(element)) return false;
    // In items some look for it in the item, others in what is around it.
    if (leaf.path_bytes != 5) return true;
    const dicom::Element* sign = file_.data_set().find(dicom::tags::pixel_representation);
    return sign != nullptr && sign->offset > element.offset;
  }

  /// PS3.5 8.2 and A.4: OW; or OB of at most 8 bits. Fragments are OB, but OW is read alike.
  void pixel_data(const HeaderLeaf& leaf) {
    const dicom::Element& element = *leaf.element;
    if (element.tag != dicom::tags::pixel_data) {
      const dicom::Vr due = element.tag == dicom::tags::float_pixel_data ? v::of : v::od;
      if (says_vr(element) && element.file_vr != due) add(AmbiguityKind::pixel_data_vr, leaf);
      return;
    }
    const std::uint16_t bits = file_.data_set().find_us(dicom::tags::bits_allocated).value_or(0);
    const bool fine = !says_vr(element) || element.file_vr == v::ow ||
                      (element.file_vr == v::ob && (element.encapsulated || bits <= 8));
    if (!fine) add(AmbiguityKind::pixel_data_vr, leaf);
    // Without one, each reader has its own default for how the samples lie.
    const dicom::Element* planar = file_.data_set().find(dicom::tags::planar_configuration);
    if (file_.data_set().find_us(dicom::tags::samples_per_pixel).value_or(1) > 1 &&
        (planar == nullptr || planar->value.empty())) {
      const auto path = top_level_path(dicom::tags::planar_configuration);
      out_.push_back({AmbiguityKind::form_without_leaf, Bytes(path.begin(), path.end())});
    }
    if (!element.encapsulated && element.value.size() % 2 != 0)
      add(AmbiguityKind::value_length, leaf);
  }

  [[nodiscard]] bool has_exact_form(const HeaderLeaf& leaf) const {
    namespace t = dicom::tags;
    const dicom::Element& element = *leaf.element;
    const dicom::Tag tag = element.tag;
    // Their VRs and lengths are looked at like those of any element.
    if (tag == t::specific_character_set || leaf.is_evidence || is_misplaced(tag)) return true;
    if (tag.is_group_length() || tag == t::length_to_end) return is_form(element, v::ul, 4);
    if (tag == t::data_set_trailing_padding) return is_form(element, v::ob, element.value.size());
    if (tag == t::planar_configuration) {
      const auto value = file_.data_set().find_us(tag);
      return (is_form(element, v::us, 2) || is_form(element, v::us, 0)) && value.value_or(0) <= 1;
    }
    const std::size_t fragments = file_.data_set().fragments().size();
    if (tag == t::extended_offset_table || tag == t::extended_offset_table_lengths)
      return is_form(element, v::ov, element.value.size()) && element.value.size() <= 8 * fragments;
    if (tag == t::encapsulated_pixel_data_value_total_length)
      return is_form(element, v::uv, 8) && fragments > 0;
    if (tag == t::digital_signatures_sequence || tag == t::mac_parameters_sequence)
      return element.vr == v::sq && !leaf.holds_strangers;
    return false;
  }

  const dicom::File& file_;
  const CanonicalHeader& header_;
  std::vector<Ambiguity>& out_;
};

struct KindText {
  AmbiguityKind kind;
  std::string_view one;   // of one place, after "The file has "
  std::string_view many;  // of several, after their number
};
constexpr std::array kind_texts{
    KindText{AmbiguityKind::other_encoding, "a data set in another encoding than the file names",
             ""},
    KindText{AmbiguityKind::two_readings, "a data set that can be read in two encodings", ""},
    KindText{AmbiguityKind::meta_information,
             "file meta information (group 0002) in which readers disagree", ""},
    KindText{AmbiguityKind::standard_under_un,
             "a standard attribute whose form is not said (VR UN)",
             "standard attributes whose form is not said (VR UN)"},
    KindText{AmbiguityKind::unknown_vr, "an attribute with a VR that DICOM does not know",
             "attributes with VRs that DICOM does not know"},
    KindText{AmbiguityKind::value_length, "a value of a length that its VR does not allow",
             "values of lengths that their VRs do not allow"},
    KindText{AmbiguityKind::nul_in_text, "a text with a NUL that is not padding",
             "texts with a NUL that is not padding"},
    KindText{AmbiguityKind::foreign_vr,
             "an attribute in a form (VR) that reads otherwise than its own",
             "attributes in forms (VRs) that read otherwise than their own"},
    KindText{AmbiguityKind::form_without_leaf,
             "an element of the encoding in a form that it must not have",
             "elements of the encoding in forms that they must not have"},
    KindText{AmbiguityKind::misplaced, "an element of a group that has no place in a data set",
             "elements of groups that have no place in a data set"},
    KindText{AmbiguityKind::duplicate, "an attribute that stands twice",
             "attributes that stand twice"},
    KindText{AmbiguityKind::delimiter, "delimiters that readers pass in different ways", ""},
    KindText{AmbiguityKind::surplus_bytes, "bytes after the end of its data set", ""},
    KindText{AmbiguityKind::pixel_data_form,
             "Pixel Data in another form than its transfer syntax asks for", ""},
    KindText{AmbiguityKind::character_set,
             "a text in a character set that readers know differently",
             "texts in character sets that readers know differently"},
    KindText{AmbiguityKind::sign_by_place,
             "a number whose sign is said behind it only, or outside of its item",
             "numbers whose sign is said behind them only, or outside of their items"},
    KindText{AmbiguityKind::order,
             "a sequence before its character set, or attributes behind Pixel Data", ""},
    KindText{AmbiguityKind::pixel_data_vr, "Pixel Data under a VR that is not for it", ""},
};

}  // namespace

std::vector<Ambiguity> find_ambiguities(const dicom::File& file, const CanonicalHeader& header) {
  std::vector<Ambiguity> out;
  Scan(file, header, out).run();
  std::ranges::sort(out, [](const Ambiguity& a, const Ambiguity& b) {
    return a.kind != b.kind ? a.kind < b.kind : compare_paths(a.place, b.place) < 0;
  });
  const auto again = std::ranges::unique(out, [](const Ambiguity& a, const Ambiguity& b) {
    return a.kind == b.kind && same_bytes(a.place, b.place);
  });
  out.erase(again.begin(), again.end());
  return out;
}

std::vector<std::span<const Ambiguity>> by_kind(std::span<const Ambiguity> ambiguities) {
  std::vector<std::span<const Ambiguity>> out;
  for (auto from = ambiguities.begin(); from != ambiguities.end();) {
    const auto to = std::find_if(from, ambiguities.end(),
                                 [&](const Ambiguity& a) { return a.kind != from->kind; });
    out.emplace_back(from, to);
    from = to;
  }
  return out;
}

bool is_all_under_un(const dicom::DataSet& data_set) {
  bool any = false;
  for (auto i = data_set.first(); i != dicom::no_index; i = data_set.element(i).next) {
    const dicom::Element& element = data_set.element(i);
    if (element.tag.is_private() || element.tag.is_group_length() || element.tag.group == 0x0028 ||
        element.tag.group == 0x7FE0 || dicom::is_recent(element.tag) ||
        !dicom::find_dictionary_entry(element.tag))
      continue;
    if (element.file_vr != v::un) return false;
    any = true;
  }
  return any;
}

finding::Finding ambiguity_finding(std::span<const Ambiguity> of_one_kind,
                                   finding::Severity severity) {
  const Ambiguity& first = of_one_kind.front();
  finding::Finding finding{
      .code = finding::Code::reading_ambiguous, .severity = severity, .text = {}};
  const auto row = std::ranges::find(kind_texts, first.kind, &KindText::kind);
  FIDUCIA_ASSERT(row != kind_texts.end());
  const bool many = of_one_kind.size() > 1 && !row->many.empty();
  finding.text = "The file has " + (many ? std::to_string(of_one_kind.size()) + " " : "") +
                 std::string(many ? row->many : row->one);
  if (!first.place.empty()) {
    if (const auto place = describe_path(first.place)) {
      finding.attribute = place->text;
      finding.keyword = place->keyword;
      finding.text += many ? ", the first is " + place->text : ": " + place->text;
    }
  }
  finding.text += "; common readers take that in different ways";
  finding.text += severity == finding::Severity::alarm
                      ? ", and it was not so when it was sealed."
                      : ", so nobody can say what each of them shows.";
  return finding;
}

void add_preamble_findings(const dicom::File& file, std::vector<finding::Finding>& findings) {
  for (const dicom::Note& note : file.notes()) {
    if (!note.code.starts_with("preamble_")) continue;
    const bool tiff = note.code == "preamble_tiff";
    findings.push_back(
        {.code = tiff ? finding::Code::preamble_tiff : finding::Code::preamble_executable,
         .severity = tiff ? finding::Severity::note : finding::Severity::warning,
         .text = note.text});
  }
}

}  // namespace fiducia::canonical
