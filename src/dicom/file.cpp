// SPDX-License-Identifier: Apache-2.0
#include "dicom/file.h"

#include <algorithm>
#include <array>

#include "dicom/data_set_parser.h"
#include "dicom/deflated_data_set.h"
#include "dicom/dictionary.h"
#include "dicom/vr_table.h"

namespace fiducia::dicom {
namespace {

constexpr std::size_t preamble_bytes = 128;
constexpr std::string_view prefix = "DICM";

struct Signature {
  std::string_view magic;
  std::string_view code;  // of the note when a preamble starts so
  std::string_view what;
};
/// What the preamble may be besides unused: PS3.10 section 7.1 leaves it to applications, so a
/// file can be two things at once.
constexpr std::array signatures{
    Signature{"MZ", "preamble_executable", "a Windows program"},
    Signature{"\x7F"
              "ELF",
              "preamble_executable", "a Linux program"},
    Signature{"\xCF\xFA\xED\xFE", "preamble_executable", "a macOS program"},
    Signature{"\xCA\xFE\xBA\xBE", "preamble_executable", "a macOS or Java program"},
    Signature{"#!", "preamble_executable", "a script"},
    Signature{"%PDF", "preamble_pdf", "a PDF document"},
    Signature{"PK\x03\x04", "preamble_archive", "a ZIP archive"},
    Signature{std::string_view("II*\0", 4), "preamble_tiff", "a TIFF image"},
    Signature{std::string_view("MM\0*", 4), "preamble_tiff", "a TIFF image"},
    Signature{"\xFF\xD8\xFF", "preamble_image", "a JPEG image"},
    Signature{"\x89PNG", "preamble_image", "a PNG image"},
    Signature{"GIF8", "preamble_image", "a GIF image"},
    Signature{"<", "preamble_markup", "an HTML or XML document"},
};
const Signature* find_signature(ByteView bytes) {
  for (const Signature& signature : signatures)
    if (as_text(bytes).starts_with(signature.magic)) return &signature;
  return nullptr;
}

struct OddityText {
  Oddity oddity;
  std::string_view code;
  std::string_view text;
};
constexpr std::array<OddityText, oddity_count> oddity_texts{{
    {Oddity::odd_length, "odd_length", "Values of odd length"},
    {Oddity::out_of_order, "out_of_order", "Data sets whose tags do not ascend"},
    {Oddity::duplicate, "duplicate_element", "Elements whose tag stood before in the data set"},
    {Oddity::stray_delimiter, "stray_delimiter", "Delimiters after something of defined length"},
    {Oddity::delimiter_length, "delimiter_length", "Delimiters with a length other than 0"},
    {Oddity::unknown_vr, "unknown_vr", "Elements with a VR that PS3.5 does not know, or none"},
    {Oddity::no_items, "no_items", "Sequences that hold something else than items"},
    {Oddity::missing_delimiter, "missing_delimiter", "Delimiters that are missing at the end"},
    {Oddity::forbidden_group, "forbidden_group", "Elements of a group that has no place there"},
    {Oddity::looks_explicit, "looks_explicit", "Lengths in implicit VR that spell a VR"},
    {Oddity::trailing_zeros, "trailing_zeros", "Zeros after the last element"},
}};

bool has_vr_letters(ByteView bytes) {
  return bytes.size() >= 6 &&
         is_known_vr(Vr{static_cast<char>(bytes[4]), static_cast<char>(bytes[5])});
}

/// Whether the tag that two orders of bytes give is that of a private creator of VR LO.
bool is_creator(Tag tag, ByteView bytes) {
  return tag.is_private_creator() && as_text(bytes.subspan(4, 2)) == "LO";
}

/// Encodings in which the first element could be read, the likelier first. The group of a first
/// element is below 0100, so one of its two bytes is zero, or it is a private creator: no text and
/// no image starts so.
std::vector<Encoding> guess_encodings(ByteView bytes) {
  std::vector<Encoding> guesses;
  if (bytes.size() < 8) return guesses;
  const auto half = [&]<class Load>(Load load) {
    return Tag{load(bytes.data()), load(bytes.data() + 2)};
  };
  const bool little = (bytes[0] != std::byte{0} && bytes[1] == std::byte{0}) ||
                      is_creator(half(load_le<std::uint16_t>), bytes);
  const bool big = (bytes[0] == std::byte{0} && bytes[1] != std::byte{0}) ||
                   is_creator(half(load_be<std::uint16_t>), bytes);
  if (has_vr_letters(bytes) && (little || big))
    guesses.push_back({.explicit_vr = true, .big_endian = big});
  if (little) guesses.push_back({.explicit_vr = false, .big_endian = false});
  return guesses;
}

const TransferSyntax* syntax_of(Encoding encoding) {
  return find_transfer_syntax(!encoding.explicit_vr ? uids::implicit_vr_little_endian
                              : encoding.big_endian ? uids::explicit_vr_big_endian
                                                    : uids::explicit_vr_little_endian);
}

bool is_encapsulated(const DataSet& data_set) {
  const Element* pixel_data = data_set.find(tags::pixel_data);
  return pixel_data != nullptr && pixel_data->encapsulated;
}

std::unexpected<Error> not_dicom(ByteView bytes) {
  std::string what =
      "is not a DICOM file: it has neither the prefix DICM nor a data element at "
      "its start";
  if (bytes.empty())
    what = "is empty: a DICOM file has at least one data element";
  else if (const Signature* signature = find_signature(bytes))
    what += ", and looks like " + std::string(signature->what);
  auto error = fail_malformed("not_dicom", what + ".");
  error.error().remedy = "Give a DICOM file.";
  return error;
}

}  // namespace

/// The steps of reading a file; fills a File in place.
class FileReader {
 public:
  explicit FileReader(std::vector<Note>& notes) : notes_(notes) {}

  void note(std::string_view code, std::string text, std::uint64_t offset) {
    notes_.push_back({.code = std::string(code), .text = std::move(text), .offset = offset});
  }
  void note(const Oddities& oddities) {
    for (const OddityText& row : oddity_texts) {
      const OddityTally& tally = oddities[static_cast<std::size_t>(row.oddity)];
      if (tally.count == 0) continue;
      note(row.code,
           std::string(row.text) + ": " + std::to_string(tally.count) + ", the first at byte " +
               std::to_string(tally.first_offset) + ".",
           tally.first_offset);
    }
  }
  Result<DataSet> read(ByteView bytes, Encoding encoding, std::uint64_t origin) {
    DataSetParser parser(bytes, origin, 0);
    auto data_set = parser.read_data_set(encoding);
    if (data_set) note(parser.oddities());
    return data_set;
  }

  struct Guessed {
    DataSet data_set;
    Encoding encoding;
  };
  /// Reads a data set whose encoding nobody names. The error is that of the likelier encoding.
  Result<Guessed> read_guessed(ByteView bytes, std::uint64_t origin) {
    std::optional<Error> first_error;
    for (const Encoding encoding : guess_encodings(bytes)) {
      auto data_set = read(bytes, encoding, origin);
      if (data_set) return Guessed{std::move(*data_set), encoding};
      if (!first_error) first_error = std::move(data_set).error();
    }
    if (!first_error) return not_dicom(bytes);
    // A first element that cannot be read, and no VR: more likely no DICOM at all.
    if (!has_vr_letters(bytes) && first_error->where.offset == origin &&
        first_error->code != ErrorCode::over_limit)
      return not_dicom(bytes);
    return std::unexpected(std::move(*first_error));
  }

 private:
  std::vector<Note>& notes_;
};

Result<File> File::open(const std::filesystem::path& path) {
  FIDUCIA_TRY(mapped, MappedFile::open(path));
  return read(std::move(mapped), path.string());
}

Result<File> File::read(MappedFile mapped, std::string name) {
  return read(std::make_shared<const MappedFile>(std::move(mapped)), std::move(name));
}

Result<File> File::read(Bytes bytes, std::string name) {
  return read(std::make_shared<const Bytes>(std::move(bytes)), std::move(name));
}

Result<File> File::read(std::shared_ptr<const MappedFile> mapped, std::string name) {
  FIDUCIA_ASSERT(mapped != nullptr);
  File file;
  file.name_ = std::move(name);
  file.mapped_ = std::move(mapped);
  return parse(std::move(file));
}

Result<File> File::read(std::shared_ptr<const Bytes> bytes, std::string name) {
  FIDUCIA_ASSERT(bytes != nullptr);
  File file;
  file.name_ = std::move(name);
  file.memory_ = std::move(bytes);
  return parse(std::move(file));
}

ByteView File::bytes() const { return mapped_ ? mapped_->bytes() : ByteView{*memory_}; }

void File::release(ByteView used) const {
  if (mapped_) mapped_->release(used);
}

bool File::was_truncated() const { return mapped_ && mapped_->was_truncated(); }

Result<File> File::parse(File file) {
  file.budget_ = std::make_unique<Budget>(file.bytes().size());
  Status status = file.read_parts();
  if (!status) {
    Error error = std::move(status).error();
    error.where.file = file.name_;
    return std::unexpected(std::move(error));
  }
  return file;
}

Status File::read_parts() {
  FileReader reader(notes_);
  const ByteView all = bytes();
  std::size_t at = 0;
  if (all.size() >= preamble_bytes + 4 && as_text(all.subspan(preamble_bytes, 4)) == prefix) {
    has_preamble_ = true;
    at = preamble_bytes + 4;
    if (const Signature* signature = find_signature(all))
      reader.note(signature->code,
                  "The preamble starts like " + std::string(signature->what) +
                      ": other software may open this file as such.",
                  0);
  } else if (as_text(all).starts_with(prefix)) {
    at = 4;
    reader.note("no_preamble", "The preamble of 128 bytes is missing.", 0);
  }

  // Meta information is explicit VR little endian whatever follows (PS3.10 section 7.1).
  const ByteView after_prefix = all.subspan(at);
  const bool has_meta = after_prefix.size() >= 8 && after_prefix[0] == std::byte{2} &&
                        after_prefix[1] == std::byte{0};
  const TransferSyntax* named = nullptr;
  if (has_meta) {
    FIDUCIA_TRY(end, read_meta(after_prefix, at));
    if (at == 0) reader.note("no_preamble", "Preamble and prefix are missing.", 0);
    at += end;
    const auto uid = meta_.find_text(tags::transfer_syntax_uid);
    if (uid) {
      named = find_transfer_syntax(*uid);
      if (named == nullptr) {
        auto error = fail(ErrorCode::unsupported,
                          "the transfer syntax of this file is not one that can be read here.",
                          "Convert it to Explicit VR Little Endian first.",
                          {.file = {},
                           .element = to_string(tags::transfer_syntax_uid),
                           .offset = meta_.find(tags::transfer_syntax_uid)->offset});
        error.error().kind = "transfer_syntax";
        return error;
      }
    }
  }
  data_set_offset_ = at;
  data_set_bytes_ = all.subspan(at);
  if (named == nullptr) {
    if (has_meta)
      reader.note("no_transfer_syntax", "The meta information names no transfer syntax.", at);
    else
      reader.note("no_meta", "There is no meta information: the encoding is guessed.", at);
    FIDUCIA_TRY(guessed, reader.read_guessed(data_set_bytes_, at));
    take_guessed(std::move(guessed.data_set), guessed.encoding, nullptr);
    look_for_second_reading(guessed.encoding);
    // pydicom takes such a group for one of the other order of bytes.
    constexpr std::uint16_t group_max = 0x03FF;
    if (data_set_.first() != no_index && data_set_.element(data_set_.first()).tag.group > group_max)
      reader.note("guessed_otherwise",
                  "Nothing names the encoding, and the first group is one that other readers take "
                  "for another order of bytes.",
                  at);
    return {};
  }
  return read_named(*named);
}

/// Whether group 0002 is what PS3.10 7.1 asks for, to the byte: then no two readers can disagree
/// about where it ends or what it names. `length` is that of the group.
bool File::has_exact_meta(std::size_t length) const {
  const ElementIndex first = meta_.first();
  if (first == no_index) return false;
  const Element& group_length = meta_.element(first);
  if (group_length.tag != Tag{0x0002, 0x0000} || group_length.value.size() != 4 ||
      12 + std::size_t{load_le<std::uint32_t>(group_length.value.data())} != length)
    return false;
  std::uint32_t before = 0;
  for (auto i = first; i != no_index; i = meta_.element(i).next) {
    const Element& element = meta_.element(i);
    if (i != first && element.tag.value() <= before) return false;
    before = element.tag.value();
    if (element.value.size() % 2 != 0 || element.vr == vr::sq) return false;
    const auto entry = find_dictionary_entry(element.tag);
    if (entry && !entry->allows(element.file_vr)) return false;
  }
  const Element* syntax = meta_.find(tags::transfer_syntax_uid);
  if (syntax == nullptr) return false;
  std::string_view uid = as_text(syntax->value);
  if (uid.ends_with('\0')) uid.remove_suffix(1);
  return !uid.empty() && uid.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// Tries the other encodings of the data set. One that reads to its end, or that its first bytes
/// promise to readers that look only there, makes two objects of one file.
void File::look_for_second_reading(Encoding taken) {
  FileReader reader(notes_);
  const auto syntax = meta_.find_text(tags::transfer_syntax_uid);
  const bool names_syntax = syntax && !syntax->empty();
  bool found =
      std::ranges::any_of(notes_, [](const Note& note) { return note.code == "looks_explicit"; });
  constexpr std::array encodings{Encoding{.explicit_vr = true, .big_endian = false},
                                 Encoding{.explicit_vr = false, .big_endian = false},
                                 Encoding{.explicit_vr = true, .big_endian = true}};
  for (const Encoding other : encodings) {
    // Nobody tries the other order of bytes when the file names one.
    const bool same =
        other.explicit_vr == taken.explicit_vr && other.big_endian == taken.big_endian;
    const bool other_order = other.big_endian != taken.big_endian;
    if (found || same || (other_order && names_syntax)) continue;
    DataSetParser parser(data_set_bytes_, 0, 0);
    const auto second = parser.read_clean_data_set(other);
    found = second && second->first() != no_index;
  }
  if (found)
    reader.note("two_readings", "The data set can be read in two encodings.", data_set_offset_);
}

/// Reads group 0002 at the start of `bytes`; the result is its length.
Result<std::size_t> File::read_meta(ByteView meta_bytes, std::size_t at) {
  FileReader reader(notes_);
  const bool explicit_vr = has_vr_letters(meta_bytes);
  if (!explicit_vr) reader.note("implicit_meta", "The meta information is in implicit VR.", at);
  DataSetParser parser(meta_bytes, at, 0);
  FIDUCIA_TRY(meta, parser.read_meta({.explicit_vr = explicit_vr, .big_endian = false}));
  meta_ = std::move(meta);
  reader.note(parser.oddities());
  const Element* length = meta_.find({0x0002, 0x0000});
  const std::uint64_t value_end = length == nullptr ? 0 : length->offset + 12 - at;  // either VR
  if (length != nullptr && length->value.size() == 4 &&
      value_end + load_le<std::uint32_t>(length->value.data()) != parser.position())
    reader.note("meta_group_length", "(0002,0000) is not the length of the group.", length->offset);
  const bool odd = std::ranges::any_of(parser.oddities(),
                                       [](const OddityTally& tally) { return tally.count > 0; });
  if (!explicit_vr || odd || !has_exact_meta(parser.position()))
    reader.note("meta_irregular",
                "The meta information is not in the one form that all readers read alike.", at);
  return parser.position();
}

/// Takes a data set in an encoding that the file does not name; `named` is what it names instead.
void File::take_guessed(DataSet data_set, Encoding encoding, const TransferSyntax* named) {
  data_set_ = std::move(data_set);
  transfer_syntax_ = syntax_of(encoding);
  if (!is_encapsulated(data_set_)) return;
  TransferSyntax own = *transfer_syntax_;
  own.uid = {};
  own.name = "encapsulated, not named by the file";
  own.encapsulated = true;
  own.encoding = PixelEncoding::unknown;
  own.loss = Loss::either;
  if (named != nullptr && named->encapsulated) {
    own = *named;  // the fragments are what it says, the header is not
    own.explicit_vr = encoding.explicit_vr;
    own.big_endian = encoding.big_endian;
  }
  own_syntax_ = std::make_unique<const TransferSyntax>(own);
  transfer_syntax_ = own_syntax_.get();
}

/// Reads the data set in the transfer syntax that the meta information names.
Status File::read_named(const TransferSyntax& syntax) {
  FileReader reader(notes_);
  transfer_syntax_ = &syntax;
  std::uint64_t origin = data_set_offset_;
  if (syntax.deflated) {
    FIDUCIA_TRY(inflated, inflate_data_set(data_set_bytes_, data_set_offset_));
    inflated_ = std::move(inflated.bytes);
    data_set_bytes_ = inflated_;
    origin = 0;
    if (inflated.surplus)
      reader.note("bytes_after_deflate", "Bytes after the end of the deflated data set.",
                  bytes().size() - inflated.bytes_after);
  }
  const Encoding encoding{.explicit_vr = syntax.explicit_vr, .big_endian = syntax.big_endian};
  auto data_set = reader.read(data_set_bytes_, encoding, origin);
  if (!data_set) {
    // Files whose meta information names another encoding than the one they are in do exist:
    // taken only if the whole data set reads well so.
    if (syntax.deflated) return std::unexpected(std::move(data_set).error());
    auto guessed = reader.read_guessed(data_set_bytes_, origin);
    if (!guessed) return std::unexpected(std::move(data_set).error());
    reader.note("wrong_transfer_syntax",
                "The data set is not in the transfer syntax that the meta information names.",
                origin);
    take_guessed(std::move(guessed->data_set), guessed->encoding, &syntax);
    look_for_second_reading(guessed->encoding);
    return {};
  }
  data_set_ = std::move(*data_set);
  look_for_second_reading(encoding);
  const Element* pixel_data = data_set_.find(tags::pixel_data);
  if (pixel_data != nullptr && pixel_data->encapsulated != syntax.encapsulated)
    reader.note("pixel_data_form",
                syntax.encapsulated ? "Pixel Data is not in fragments, as its transfer syntax asks."
                                    : "Pixel Data is in fragments, which its transfer syntax "
                                      "does not allow.",
                pixel_data->offset);
  return {};
}

bool has_image_name(const std::filesystem::path& path) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::string name = path.filename().string();
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::string_view endings[] = {".dcm", ".dicom", ".dic", ".dc3", ".ima", ".acr"};
  if (std::ranges::find(endings, ending) != std::end(endings)) return true;
  if (name == "DICOMDIR") return true;
  return std::ranges::none_of(ending, is_letter) && std::ranges::any_of(name, is_digit);
}

}  // namespace fiducia::dicom
