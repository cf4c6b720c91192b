// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inside of module dicom: the bounded reader.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dicom/data_set.h"

namespace fiducia::dicom {

/// What a parse accepted although the standard forbids it.
enum class Oddity : std::uint8_t {
  odd_length,         // values, items and fragments have even length (PS3.5 section 7.1.1)
  out_of_order,       // tags ascend within a data set (PS3.5 section 7.1)
  duplicate,          // each tag stands once in a data set
  stray_delimiter,    // a delimiter after something of defined length
  delimiter_length,   // a delimiter whose length is not 0
  unknown_vr,         // what stands where the VR belongs is none of PS3.5
  no_items,           // what is a sequence for VR or PS3.6 does not begin with an item
  missing_delimiter,  // the bytes end before the delimiters of what has undefined length
  forbidden_group,    // group 0000, 0002 or 0006 inside the data set
  looks_explicit,     // implicit VR whose first length spells two letters, as a VR would
  trailing_zeros,     // nothing but zeros after the last element; kept last
};
inline constexpr std::size_t oddity_count = static_cast<std::size_t>(Oddity::trailing_zeros) + 1;

/// How often each oddity was met, and where first. Bounded, whatever the input.
struct OddityTally {
  std::uint64_t count = 0;
  std::uint64_t first_offset = 0;
};
using Oddities = std::array<OddityTally, oddity_count>;

/// Reads one data set. Iterative: what encloses the place being read is a vector of Frames, so
/// nesting costs memory (64 frames at most), never stack.
///
/// Work is linear in the input. The one place where bytes could be read twice are unknown
/// elements of defined length whose bytes may be a sequence (VrSource::structure): they are read
/// as items in place, and when that fails only the innermost such element is taken back and
/// skipped as a whole. So each byte is walked at most once, however such elements are nested.
///
/// One parser, one parse. Thread safety: none.
class DataSetParser {
 public:
  /// `bytes` must outlive the DataSet.
  DataSetParser(ByteView bytes, std::uint64_t origin, std::uint32_t depth)
      : bytes_(bytes), origin_(origin), depth_(depth) {}

  /// All of the bytes are one data set.
  [[nodiscard]] Result<DataSet> read_data_set(Encoding encoding);
  /// The same, if nothing in it is odd.
  [[nodiscard]] Result<DataSet> read_clean_data_set(Encoding encoding);
  /// All of the bytes are items of one implicit VR little endian sequence `tag`.
  [[nodiscard]] Result<DataSet> read_implicit_items(Tag tag);
  /// Reads elements of group 0002 as far as they go. When a deflated transfer syntax is named,
  /// the group length decides where they end: compressed bytes may look like anything.
  [[nodiscard]] Result<DataSet> read_meta(Encoding encoding);

  /// Where reading stopped, in bytes from the start of `bytes`.
  [[nodiscard]] std::size_t position() const { return pos_; }
  [[nodiscard]] const Oddities& oddities() const { return oddities_; }

 private:
  /// A data set or the items of a sequence that encloses the place being read.
  struct Frame {
    std::size_t end = 0;  // of defined length: its end; else the end of what encloses it
    std::size_t start = 0;
    bool is_items = false;
    bool undefined_length = false;
    bool explicit_vr = false;
    bool big_endian = false;
    bool speculative = false;    // items of an element that may turn out to be plain bytes
    bool strict = false;         // ... because nothing but its bytes says that it is a sequence
    bool ascending = true;       // data set: tags so far
    bool signed_pixels = false;  // Pixel Representation (0028,0103) in force
    std::uint32_t tag_max = 0;   // data set: highest tag so far
    ElementIndex sequence = no_index;      // items: the element they belong to
    ItemIndex item = no_index;             // data set: its item, no_index at top level
    ElementIndex last_element = no_index;  // data set
    ItemIndex last_item = no_index;        // items
    std::uint32_t items_before = 0;        // speculative: size of items_ to go back to
  };
  /// How an element's header says to go on.
  struct Header {
    Tag tag;
    Vr vr;
    Vr file_vr;
    VrSource source = VrSource::file;
    std::uint32_t length = 0;
    std::uint32_t header_bytes = 8;
  };
  enum class Failure : std::uint8_t {
    header_cut,
    too_long,
    undefined_length,
    no_vr,
    unexpected_delimiter,
    no_item,
    no_end,
    fragment_length,
    no_fragment,
    nesting,
    elements,
    items,
    fragments,
    oddity,  // only inside a strict frame
  };
  /// What went wrong; becomes an Error only when nothing takes it back.
  struct Fault {
    Failure kind = Failure::header_cut;
    Tag tag = {};
    Vr vr = {};
    std::size_t position = 0;
    std::uint64_t declared = 0;
    std::uint64_t remaining = 0;
    bool at_end_of_bytes = false;
  };

  void reserve();
  [[nodiscard]] Result<DataSet> run();
  [[nodiscard]] bool read_elements();
  [[nodiscard]] bool read_items();
  [[nodiscard]] bool read_header(const Frame& frame, std::size_t remaining, Header& header);
  [[nodiscard]] bool read_without_vr(const Frame& frame, Header& header);
  [[nodiscard]] bool lacks_delimiter(const Frame& frame);
  [[nodiscard]] bool read_delimiter(Tag tag, std::uint32_t length, bool& closed);
  [[nodiscard]] bool read_undefined(const Header& header, Element& element, bool& opened);
  [[nodiscard]] bool read_fragments(const Header& header, Element& element, bool keep);
  void look_up(Header& header, const Frame& frame);
  [[nodiscard]] ElementIndex add_element(Frame& frame, const Element& element);
  [[nodiscard]] bool open_items(ElementIndex sequence, std::size_t length, bool undefined_length,
                                bool implicit_little_endian, bool speculative);
  [[nodiscard]] bool close_data_set();
  void mark_duplicates(ElementIndex first);
  [[nodiscard]] bool may_be_items(std::size_t position, std::uint32_t length) const;
  [[nodiscard]] bool is_trailing_zeros(const Frame& frame);
  [[nodiscard]] bool is_end_of_meta(Tag tag) const;

  [[nodiscard]] bool fault(const Fault& fault) {
    fault_ = fault;
    return false;
  }
  [[nodiscard]] bool too_long(const Frame& frame, Tag tag, std::size_t position,
                              std::uint64_t declared, std::uint64_t remaining);
  [[nodiscard]] bool cut(const Frame& frame, Tag tag, std::size_t position, std::uint64_t declared,
                         std::uint64_t remaining);
  [[nodiscard]] bool odd(Oddity oddity, std::size_t position);
  [[nodiscard]] bool roll_back();
  [[nodiscard]] std::unexpected<Error> error() const;
  [[nodiscard]] std::string path(Tag tag) const;

  static constexpr std::uint32_t undefined = 0xFFFFFFFF;
  /// A handful of tags fills most implicit VR files with many items; power of two.
  static constexpr std::size_t cache_slots = 64;
  struct CachedVr {
    std::uint32_t tag = 0;
    Vr vr;  // none: unknown tag
    bool by_sign = false;
  };

  ByteView bytes_;
  std::uint64_t origin_;
  std::uint32_t depth_;             // sequences that enclose the place being read
  std::uint32_t speculations_ = 0;  // speculative frames on the stack
  std::uint32_t strict_ = 0;        // strict frames on the stack
  bool meta_ = false;
  bool whole_ = false;  // the bytes are those of a data set, up to the end of its file
  std::size_t pos_ = 0;
  std::optional<std::size_t> meta_end_;  // as the first (0002,0000) says
  std::size_t nonzero_end_ = 0;          // the byte before is known not to be zero
  DataSet out_;
  std::vector<Frame> stack_;
  Oddities oddities_{};
  std::vector<Oddities> oddities_before_;  // of the speculative frames on the stack
  Fault fault_;
  std::array<CachedVr, cache_slots> cache_{};
};

}  // namespace fiducia::dicom
