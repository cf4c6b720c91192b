// SPDX-License-Identifier: Apache-2.0
#include "canonical/header.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "canonical/own_block.h"
#include "crypto/crypto.h"

namespace fiducia::canonical {
namespace {

// Steps of a canonical path (spec/seal.md 5.1). Group first, then what kind of name follows.
enum StepClass : std::uint8_t {
  standard = 0x00,         // u16be element
  private_creator = 0x01,  // u16be length, creator
  private_element = 0x02,  // u16be length, creator, u8 low byte of the element
  private_orphan = 0x03,   // u16be element: no creator, or one that stands twice
};
/// Creators longer than this cannot be told apart from noise; LO allows 64 characters.
constexpr std::size_t creator_bytes_max = 1024;

/// A private block of one data set: who reserved (group, block).
struct Block {
  std::uint16_t group = 0;
  std::uint8_t number = 0;
  bool usable = true;  // false: binary, or the creator, or the number, stands twice in the group
  std::string creator;
  [[nodiscard]] std::uint32_t key() const { return std::uint32_t{group} << 8U | number; }
};

/// The blocks of one data set. Hostile files reserve millions, so finding one costs a search.
class Blocks {
 public:
  void add(Block block) { blocks_.push_back(std::move(block)); }
  /// After the last add: sorts, and marks what cannot tell blocks apart.
  void finish() {
    if (blocks_.size() < 2) return;
    std::ranges::stable_sort(blocks_, {}, &Block::key);
    for (std::size_t i = 1; i < blocks_.size(); ++i)
      if (blocks_[i].key() == blocks_[i - 1].key())
        blocks_[i].usable = blocks_[i - 1].usable = false;
    std::vector<Block*> by_creator;
    for (Block& block : blocks_) by_creator.push_back(&block);
    const auto name = [](const Block* b) { return std::tie(b->group, b->creator); };
    std::ranges::sort(by_creator, {}, name);
    for (std::size_t i = 1; i < by_creator.size(); ++i)
      if (name(by_creator[i]) == name(by_creator[i - 1]))
        by_creator[i]->usable = by_creator[i - 1]->usable = false;
  }
  /// The block when it is usable, else nullptr.
  [[nodiscard]] const Block* find(std::uint16_t group, unsigned number) const {
    const std::uint32_t key = std::uint32_t{group} << 8U | number;
    const auto at = std::ranges::lower_bound(blocks_, key, {}, &Block::key);
    return at != blocks_.end() && at->key() == key && at->usable ? &*at : nullptr;
  }

 private:
  std::vector<Block> blocks_;
};

/// Attributes that a legitimate change of encoding rewrites, hence no leaf (spec/seal.md 5.4).
bool is_left_out(const dicom::Element& element, bool top_level) {
  namespace t = dicom::tags;
  const dicom::Tag tag = element.tag;
  // Tools drop padding, whatever it holds. A sequence is no padding.
  if (tag == t::data_set_trailing_padding) return element.vr != dicom::vr::sq;
  if (tag.is_group_length() || tag == t::length_to_end || tag == t::specific_character_set ||
      tag == t::digital_signatures_sequence || tag == t::mac_parameters_sequence)
    return true;
  // Command and meta elements of a bare data set; inside an item they have no business at all.
  if (top_level && (tag.group == 0x0000 || tag.group == 0x0002)) return true;
  return top_level && (tag == t::planar_configuration || tag == t::extended_offset_table ||
                       tag == t::extended_offset_table_lengths ||
                       tag == t::encapsulated_pixel_data_value_total_length);
}

/// What PS3.3 C.12.1.1.3 puts into the items of a DICOM signature: group 0400, and coded purposes.
bool is_signature_part(dicom::Tag tag) {
  return tag.group == 0x0400 || tag == dicom::tags::specific_character_set ||
         (tag.group == 0x0008 && tag.element >= 0x0100 && tag.element <= 0x0123);
}

}  // namespace

std::array<std::byte, 5> top_level_path(dicom::Tag tag) {
  std::array<std::byte, 5> path{};
  store_be(path.data(), tag.group);
  path[2] = static_cast<std::byte>(standard);
  store_be(path.data() + 3, tag.element);
  return path;
}

int compare_paths(ByteView a, ByteView b) {
  const int order = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
  if (order != 0) return order;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

/// The walk over one data set and its items; its stack is a vector, so depth costs no stack.
class HeaderWalk {
 public:
  explicit HeaderWalk(CanonicalHeader& out) : out_(out) {
    if (const Budget* budget = out.context_.budget)
      paths_bytes_max_ = std::min<std::uint64_t>(
          arena_bytes_max,
          limits::path_bytes_free + limits::path_bytes_a_byte * budget->object_bytes());
  }

  Status run(const dicom::DataSet& data_set) {
    out_.text_encodings_.emplace_back();
    FIDUCIA_CHECK(enter(data_set, data_set.first(), {}, &out_.text_encodings_.back()));
    while (!stack_.empty()) {
      Level& level = stack_.back();
      if (level.item != dicom::no_index) {
        FIDUCIA_CHECK(next_item(level));
        continue;
      }
      if (level.element == dicom::no_index) {
        stack_.pop_back();
        continue;
      }
      const dicom::Element& element = level.data_set->element(level.element);
      level.element = element.next;
      FIDUCIA_CHECK(visit(stack_.size() - 1, element));
    }
    sort();
    return {};
  }

 private:
  /// Either a data set being walked (element) or the items of a sequence (item).
  struct Level {
    const dicom::DataSet* data_set = nullptr;
    dicom::ElementIndex element = dicom::no_index;
    dicom::ItemIndex item = dicom::no_index;
    std::uint32_t item_number = 0;
    bool top = false;
    Bytes prefix;
    const TextEncoding* text_encoding = nullptr;
    Blocks blocks;
  };

  Status enter(const dicom::DataSet& data_set, dicom::ElementIndex first, Bytes prefix,
               const TextEncoding* inherited) {
    if (stack_.size() > 2 * limits::nesting_depth_max)
      return fail_malformed("nesting", "sequences are nested more than " +
                                           std::to_string(limits::nesting_depth_max) + " deep.");
    FIDUCIA_CHECK(spend(limits::work_an_element + prefix.size() * limits::work_a_path_byte));
    Level level{.data_set = &data_set,
                .element = first,
                .top = stack_.empty(),
                .prefix = std::move(prefix),
                .text_encoding = inherited,
                .blocks = {}};
    for (auto i = first; i != dicom::no_index; i = data_set.element(i).next) {
      const dicom::Element& element = data_set.element(i);
      // The first counts, as for every attribute; a second one is a leaf (is_left_out).
      if (element.tag == dicom::tags::specific_character_set && !element.duplicate) {
        const std::string_view term = as_text(element.value);
        out_.text_encodings_.push_back(
            {.set = dicom::CharacterSet(term), .term = std::string(dicom::without_padding(term))});
        TextEncoding& own = out_.text_encodings_.back();
        own.differs_in_item =
            !level.top && (inherited->differs_in_item || own.term != inherited->term);
        level.text_encoding = &own;
      }
    }
    for (auto i = first; i != dicom::no_index; i = data_set.element(i).next) {
      const dicom::Element& element = data_set.element(i);
      if (!element.tag.is_private_creator()) continue;
      FIDUCIA_CHECK(spend(value_work(level, element)));
      add_block(level, element);
    }
    level.blocks.finish();
    stack_.push_back(std::move(level));
    return {};
  }

  void add_block(Level& level, const dicom::Element& element) {
    Bytes swap;
    std::string scratch;
    const CanonicalValue value = canonical_value(
        dicom::vr::lo, dicom::little_endian_value(element, swap), *level.text_encoding, scratch);
    ByteView name = value.bytes;
    if (value.kind == ValueKind::raw_text)
      name = name.subspan(level.text_encoding->term.size() + 1);
    const bool usable =
        !name.empty() && name.size() <= creator_bytes_max && !is_binary_creator(level, element);
    Block block{.group = element.tag.group,
                .number = static_cast<std::uint8_t>(element.tag.element),
                .usable = usable,
                .creator = std::string(as_text(name))};
    level.blocks.add(std::move(block));
  }

  /// Whether a binary value stands, or stood when it was sealed, where a creator belongs (against
  /// PS3.5 7.8.1). No change of character set touches it, so it cannot be read as text.
  bool is_binary_creator(const Level& level, const dicom::Element& element) {
    const dicom::Vr said = element.file_vr;
    if (dicom::is_known_vr(said) && said != dicom::vr::un && !dicom::is_text(said)) return true;
    if (!out_.context_.sealed_vr) return false;
    path_.assign(level.prefix.begin(), level.prefix.end());
    append_be(path_, element.tag.group);
    path_.push_back(static_cast<std::byte>(private_orphan));
    append_be(path_, element.tag.element);
    const auto sealed = out_.context_.sealed_vr(path_);
    return sealed && !dicom::is_text(*sealed);
  }

  /// What it costs to bring a value into canonical form, and to hash it.
  static std::uint64_t value_work(const Level& level, const dicom::Element& element) {
    const std::size_t term = level.text_encoding->term.size();
    return (element.value.size() + (term > limits::character_set_bytes_free ? term : 0)) *
           limits::work_a_value_byte;
  }

  Status spend(std::uint64_t work) {
    return out_.context_.budget == nullptr ? Status{} : out_.context_.budget->spend(work);
  }

  static void append_step(Bytes& path, const Level& level, dicom::Tag tag) {
    append_be(path, tag.group);
    const Block* block = nullptr;
    if (tag.is_private())
      block =
          level.blocks.find(tag.group, tag.is_private_creator() ? tag.element : tag.element >> 8U);
    if (block != nullptr) {
      path.push_back(
          static_cast<std::byte>(tag.is_private_creator() ? private_creator : private_element));
      append_be(path, narrow<std::uint16_t>(block->creator.size()));
      append(path, as_bytes(block->creator));
      if (!tag.is_private_creator()) path.push_back(static_cast<std::byte>(tag.element & 0xFF));
      return;
    }
    path.push_back(static_cast<std::byte>(tag.is_private() ? private_orphan : standard));
    append_be(path, tag.element);
  }

  /// Our own block (0F1D,xx00..xxFF): its creator, and the one element that holds the evidence.
  static bool is_own_block(const Level& level, const dicom::Element& element) {
    const dicom::Tag tag = element.tag;
    if (!level.top || tag.group != embedded_group || element.vr == dicom::vr::sq) return false;
    const unsigned number = tag.is_private_creator() ? tag.element : tag.element >> 8U;
    const Block* block = level.blocks.find(tag.group, number);
    return block != nullptr && block->creator == embedded_creator &&
           (tag.is_private_creator() || (tag.element & 0xFF) == embedded_element);
  }

  /// A leaf of `element` at `path_`, which the arena keeps from here on.
  Result<HeaderLeaf> new_leaf(const dicom::Element& element, const TextEncoding* text_encoding,
                              bool is_sequence) {
    if (out_.arena_.size() + path_.size() > paths_bytes_max_)
      return fail(ErrorCode::over_limit, "the paths of its attributes are too long together.",
                  "Split the object.");
    const HeaderLeaf leaf{.path_offset = narrow<std::uint32_t>(out_.arena_.size()),
                          .path_bytes = narrow<std::uint32_t>(path_.size()),
                          .vr = is_sequence ? dicom::vr::sq : element.vr,
                          .element = &element,
                          .text_encoding = text_encoding,
                          .is_sequence = is_sequence};
    append(out_.arena_, path_);
    return leaf;
  }

  /// Whether a DICOM signature holds, at any depth, elements that belong to none.
  static bool holds_strangers(const dicom::DataSet& data_set, const dicom::Element& sequence) {
    std::vector<dicom::ItemIndex> items{sequence.first_item};
    while (!items.empty()) {
      const dicom::ItemIndex item = items.back();
      items.pop_back();
      if (item == dicom::no_index) continue;
      items.push_back(data_set.item(item).next);
      for (auto i = data_set.item(item).first_element; i != dicom::no_index;
           i = data_set.element(i).next) {
        if (!is_signature_part(data_set.element(i).tag)) return true;
        items.push_back(data_set.element(i).first_item);
      }
    }
    return false;
  }

  Status visit(std::size_t depth, const dicom::Element& element) {
    Level& level = stack_[depth];
    // A second element of a tag that is left out is no legitimate encoding: it gets a leaf.
    const bool is_pixel_data = &element == out_.context_.pixel_element;
    const bool is_evidence = !element.duplicate && is_own_block(level, element);
    path_.assign(level.prefix.begin(), level.prefix.end());
    append_step(path_, level, element.tag);
    // Pixel data and evidence are counted where they are decoded and read.
    FIDUCIA_CHECK(spend(limits::work_an_element + path_.size() * limits::work_a_path_byte +
                        (is_pixel_data || is_evidence ? 0 : value_work(level, element))));
    if (is_pixel_data || is_evidence || (!element.duplicate && is_left_out(element, level.top))) {
      FIDUCIA_TRY(leaf, new_leaf(element, level.text_encoding, element.vr == dicom::vr::sq));
      leaf.is_pixel_data = is_pixel_data;
      leaf.is_evidence = is_evidence;
      leaf.holds_strangers = holds_strangers(*level.data_set, element);
      out_.left_out_.push_back(leaf);
      return {};
    }

    std::optional<dicom::Vr> sealed;
    if (element.vr_source != dicom::VrSource::file || element.vr == dicom::vr::un ||
        element.tag.is_private())
      if (out_.context_.sealed_vr) sealed = out_.context_.sealed_vr(path_);
    bool sequence = element.vr == dicom::vr::sq;
    // Bytes that only look like a sequence stay bytes when that is what was sealed.
    if (sequence && element.vr_source == dicom::VrSource::structure && sealed &&
        *sealed != dicom::vr::sq && !element.value.empty())
      sequence = false;
    const dicom::DataSet* data_set = level.data_set;
    const dicom::Element* walked = &element;
    if (!sequence && sealed == dicom::vr::sq) {
      // A sequence that a hop through implicit VR, or a private dictionary, turned into bytes.
      auto items = dicom::parse_implicit_items(element.tag, element.value, element.offset,
                                               narrow<std::uint32_t>(stack_.size() / 2));
      if (items && items->first() != dicom::no_index) {
        out_.reparsed_.push_back(std::move(*items));
        data_set = &out_.reparsed_.back();
        walked = &data_set->element(data_set->first());
        sequence = true;
      }
    }
    FIDUCIA_TRY(leaf, new_leaf(*walked, level.text_encoding, sequence));
    out_.leaves_.push_back(leaf);
    if (sequence && walked->first_item != dicom::no_index) {
      Level items{.data_set = data_set,
                  .item = walked->first_item,
                  .prefix = path_,
                  .text_encoding = level.text_encoding,
                  .blocks = {}};
      stack_.push_back(std::move(items));  // `level` is not valid past this line
    }
    return {};
  }

  Status next_item(Level& level) {
    const dicom::Item& item = level.data_set->item(level.item);
    level.item = item.next;
    ++level.item_number;
    Bytes prefix = level.prefix;
    append_be(prefix, level.item_number);
    const dicom::DataSet& data_set = *level.data_set;
    const TextEncoding* inherited = level.text_encoding;
    if (level.item == dicom::no_index) stack_.pop_back();  // `level` is not valid past this line
    return enter(data_set, item.first_element, std::move(prefix), inherited);
  }

  void sort() {
    const auto less = [this](const HeaderLeaf& a, const HeaderLeaf& b) {
      return compare_paths(out_.path(a), out_.path(b)) < 0;
    };
    if (!std::is_sorted(out_.leaves_.begin(), out_.leaves_.end(), less))
      std::stable_sort(out_.leaves_.begin(), out_.leaves_.end(), less);
    for (std::size_t i = 1; i < out_.leaves_.size(); ++i)
      out_.leaves_[i].duplicate =
          compare_paths(out_.path(out_.leaves_[i - 1]), out_.path(out_.leaves_[i])) == 0;
  }

  /// Paths are addressed with 32 bits; honest headers need a few megabytes.
  static constexpr std::size_t arena_bytes_max = 1U << 30;

  CanonicalHeader& out_;
  std::uint64_t paths_bytes_max_ = arena_bytes_max;
  std::vector<Level> stack_;
  Bytes path_;
};

Result<CanonicalHeader> CanonicalHeader::read(const dicom::DataSet& data_set,
                                              HeaderContext context) {
  CanonicalHeader header;
  header.context_ = std::move(context);
  header.leaves_.reserve(data_set.element_count());
  header.arena_.reserve(data_set.element_count() * 8);
  HeaderWalk walk(header);
  FIDUCIA_CHECK(walk.run(data_set));
  return header;
}

CanonicalValue CanonicalHeader::value(const HeaderLeaf& leaf, dicom::Vr vr, Bytes& swap_scratch,
                                      std::string& text_scratch) const {
  const dicom::Element& element = *leaf.element;
  if (vr == dicom::vr::sq && leaf.is_sequence) {
    swap_scratch.resize(4);
    store_be(swap_scratch.data(), element.item_count);
    return {ValueKind::items, swap_scratch};
  }
  if (element.encapsulated) {
    if (context_.nested_pixels != nullptr)
      if (const auto found = context_.nested_pixels->native.find(&element);
          found != context_.nested_pixels->native.end())
        return {ValueKind::bytes, found->second};
    return {ValueKind::fragments, element.value};
  }
  const bool top_level_photometric =
      leaf.path_bytes == 5 && element.tag == dicom::tags::photometric_interpretation;
  if (top_level_photometric && context_.photometric_interpretation)
    return {ValueKind::text, as_bytes(*context_.photometric_interpretation)};
  return canonical_value(vr, dicom::little_endian_value(element, swap_scratch), *leaf.text_encoding,
                         text_scratch);
}

// --- hashing --------------------------------------------------------------------------------

namespace {
/// Values up to this size are gathered and hashed side by side; longer ones are streamed.
constexpr std::size_t gather_bytes_max = 4096;
constexpr std::size_t arena_flush_bytes = 256 << 10;
}  // namespace

void HeaderHasher::add(const Salt& salt, ByteView path, dicom::Vr vr, const CanonicalValue& value,
                       Digest* out) {
  const std::size_t start = arena_.size();
  arena_.push_back(std::byte{0x00});
  append(arena_, as_bytes(leaf_tags::attribute));
  append(arena_, salt);
  append_be(arena_, narrow<std::uint32_t>(path.size()));
  append(arena_, path);
  arena_.push_back(static_cast<std::byte>(vr.letters[0]));
  arena_.push_back(static_cast<std::byte>(vr.letters[1]));
  arena_.push_back(static_cast<std::byte>(value.kind));
  append_be(arena_, std::uint64_t{value.bytes.size()});
  if (value.bytes.size() > gather_bytes_max) {
    const ByteView parts[] = {ByteView{arena_}.subspan(start), value.bytes};
    *out = crypto::sha256(parts);
    arena_.resize(start);
    return;
  }
  append(arena_, value.bytes);
  ranges_.emplace_back(start, arena_.size() - start);
  out_.push_back(out);
  if (arena_.size() > arena_flush_bytes) flush();
}

void HeaderHasher::flush() {
  std::vector<ByteView> views;
  views.reserve(ranges_.size());
  for (const auto& [offset, length] : ranges_)
    views.push_back(ByteView{arena_}.subspan(offset, length));
  std::vector<Digest> digests(views.size());
  crypto::sha256_many(views, digests);
  for (std::size_t i = 0; i < digests.size(); ++i) *out_[i] = digests[i];
  arena_.clear();
  ranges_.clear();
  out_.clear();
}

Digest attribute_hash(const Salt& salt, ByteView path, dicom::Vr vr, const CanonicalValue& value) {
  Digest hash;
  HeaderHasher hasher;
  hasher.add(salt, path, vr, value, &hash);
  hasher.flush();
  return hash;
}

// --- for people -----------------------------------------------------------------------------

namespace {

std::string hex4(std::uint16_t value) {
  char text[8];
  std::snprintf(text, sizeof text, "%04X", unsigned{value});
  return text;
}

/// A creator goes to terminals and pages: printable ASCII stays, the rest becomes '?'.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 64)) out += c >= ' ' && c < 0x7F && c != '"' ? c : '?';
  return out;
}

Result<std::string> describe_step(ByteCursor& cursor, std::string& keyword) {
  FIDUCIA_TRY(group, cursor.be<std::uint16_t>());
  FIDUCIA_TRY(kind, cursor.be<std::uint8_t>());
  keyword.clear();
  if (kind == standard || kind == private_orphan) {
    FIDUCIA_TRY(element, cursor.be<std::uint16_t>());
    const dicom::Tag tag{group, element};
    if (const auto entry = dicom::find_dictionary_entry(tag)) keyword = entry->keyword;
    return dicom::to_string(tag);
  }
  if (kind != private_creator && kind != private_element)
    return fail_malformed("path", "a path has a step of unknown kind.", cursor.offset());
  FIDUCIA_TRY(length, cursor.be<std::uint16_t>());
  FIDUCIA_TRY(creator, cursor.take(length));
  std::string text = "(" + hex4(group) + ",\"" + printable(as_text(creator)) + "\"";
  if (kind == private_creator) return text + ")";
  FIDUCIA_TRY(low, cursor.be<std::uint8_t>());
  return text + "," + hex4(low).substr(2) + ")";
}

}  // namespace

Result<PathText> describe_path(ByteView path) {
  PathText out;
  ByteCursor cursor(path);
  for (;;) {
    FIDUCIA_TRY(step, describe_step(cursor, out.keyword));
    out.text += step;
    if (cursor.remaining() == 0) return out;
    FIDUCIA_TRY(item, cursor.be<std::uint32_t>());
    out.text += "[" + std::to_string(item) + "]";
    if (cursor.remaining() == 0) return out;  // an item itself
    out.text += ".";
  }
}

}  // namespace fiducia::canonical
