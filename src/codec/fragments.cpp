// SPDX-License-Identifier: Apache-2.0
#include "codec/fragments.h"

#include <algorithm>
#include <array>

namespace fiducia::codec {
namespace {

using dicom::PixelEncoding;
using Starts = std::vector<std::uint32_t>;

std::unexpected<Error> contradiction(const std::string& what) {
  auto failed = fail_malformed("pixel_data", what);
  failed.error().where.element = dicom::to_string(dicom::tags::pixel_data);
  failed.error().remedy = "Fetch the file again from its source.";
  return failed;
}

bool starts_with(ByteView bytes, std::initializer_list<unsigned char> prefix) {
  return bytes.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), bytes.begin(),
                    [](unsigned char a, std::byte b) { return std::byte{a} == b; });
}

bool is_jpeg(PixelEncoding encoding) {
  return encoding == PixelEncoding::jpeg_baseline || encoding == PixelEncoding::jpeg_extended ||
         encoding == PixelEncoding::jpeg_lossless || encoding == PixelEncoding::jpeg_other ||
         encoding == PixelEncoding::jpeg_ls;
}
bool is_jpeg_2000(PixelEncoding encoding) {
  return encoding == PixelEncoding::jpeg_2000 || encoding == PixelEncoding::htj2k;
}

/// Whether a fragment begins a codestream. The markers cannot stand at the start of a later
/// fragment: entropy-coded JPEG data has no FFD8, JPEG 2000 packets nothing above FF8F.
bool begins_codestream(ByteView fragment, PixelEncoding encoding) {
  if (is_jpeg(encoding)) return starts_with(fragment, {0xFF, 0xD8});
  if (is_jpeg_2000(encoding))
    return starts_with(fragment, {0xFF, 0x4F, 0xFF, 0x51}) ||
           starts_with(fragment, {0, 0, 0, 12, 'j', 'P', ' ', ' '});  // JP2, against the rules
  if (encoding == PixelEncoding::jpeg_xl)
    return starts_with(fragment, {0, 0, 0, 12, 'J', 'X', 'L', ' '});
  return false;
}

/// Frame starts by a table of item offsets of type T.
template <std::unsigned_integral T>
Result<Starts> starts_of_table(const FragmentView& view, ByteView table, const char* name) {
  if (table.size() % sizeof(T) != 0)
    return contradiction(std::string(name) + " is not a whole number of entries.");
  Starts starts;
  std::size_t fragment = 0;
  for (std::size_t i = 0; i < table.size() / sizeof(T); ++i) {
    const std::uint64_t offset = load_le<T>(table.data() + i * sizeof(T));
    // Both ascend, so one walk over the fragments serves all entries.
    while (fragment < view.offsets.size() && view.offsets[fragment] < offset) ++fragment;
    if (fragment == view.offsets.size() || view.offsets[fragment] != offset ||
        (i == 0 && fragment != 0))
      return contradiction(std::string(name) + " points to where no fragment starts.");
    if (!starts.empty() && starts.back() == fragment)
      return contradiction(std::string(name) + " gives two frames the same start.");
    starts.push_back(static_cast<std::uint32_t>(fragment));
  }
  starts.push_back(static_cast<std::uint32_t>(view.fragments.size()));
  return starts;
}

Status check_lengths(const FragmentView& view, const Starts& starts) {
  const ByteView table = view.extended_offset_table_lengths;
  if (table.size() != (starts.size() - 1) * sizeof(std::uint64_t))
    return contradiction("Extended Offset Table Lengths does not fit Extended Offset Table.");
  for (std::size_t i = 0; i + 1 < starts.size(); ++i) {
    std::uint64_t bytes = 0;  // cannot wrap: fragments lie in memory
    for (std::uint32_t f = starts[i]; f < starts[i + 1]; ++f) bytes += view.fragments[f].size();
    const auto declared = load_le<std::uint64_t>(table.data() + i * sizeof(std::uint64_t));
    if (declared > bytes || bytes - declared > 1)
      return contradiction("Extended Offset Table Lengths does not match the fragments.");
  }
  return {};
}

Result<Starts> starts_without_tables(const FragmentView& view, std::uint32_t frames,
                                     PixelEncoding encoding) {
  const auto count = static_cast<std::uint32_t>(view.fragments.size());
  Starts starts;
  if (frames == 1 || encoding == PixelEncoding::video) {
    starts = {0, count};
    return starts;
  }
  if (count <= frames) {
    for (std::uint32_t i = 0; i <= count; ++i) starts.push_back(i);
    return starts;
  }
  // An empty fragment holds no frame; some writers close Pixel Data with one.
  for (std::uint32_t i = 0; i < count; ++i)
    if (!view.fragments[i].empty()) starts.push_back(i);
  if (starts.size() == frames && starts.front() == 0) {
    starts.push_back(count);
    return starts;
  }
  starts.clear();
  for (std::uint32_t i = 0; i < count; ++i)
    if (begins_codestream(view.fragments[i], encoding)) starts.push_back(i);
  if (starts.size() != frames || starts.front() != 0)
    return contradiction(std::to_string(count) + " fragments do not divide into " +
                         std::to_string(frames) + " frames, and there is no offset table.");
  starts.push_back(count);
  return starts;
}

/// What the tables say; absent when there are none.
Result<std::optional<Starts>> starts_by_tables(const FragmentView& view, std::uint32_t frames,
                                               PixelEncoding encoding) {
  std::optional<Starts> by_table;
  if (!view.basic_offset_table.empty()) {
    FIDUCIA_TRY(starts, starts_of_table<std::uint32_t>(view, view.basic_offset_table,
                                                       "the Basic Offset Table"));
    by_table = std::move(starts);
  }
  if (!view.extended_offset_table.empty()) {
    FIDUCIA_TRY(starts, starts_of_table<std::uint64_t>(view, view.extended_offset_table,
                                                       "the Extended Offset Table"));
    if (by_table && *by_table != starts)
      return contradiction("Basic and Extended Offset Table contradict each other.");
    if (!view.extended_offset_table_lengths.empty()) FIDUCIA_CHECK(check_lengths(view, starts));
    by_table = std::move(starts);
  }
  if (!by_table) return by_table;
  const std::size_t listed = by_table->size() - 1;
  if (listed > frames)
    return contradiction("the offset table lists more frames than Number of Frames.");
  // Where each frame begins a codestream of its own, a table that divides otherwise is wrong.
  Starts marked;
  for (std::uint32_t i = 0; i < view.fragments.size(); ++i)
    if (begins_codestream(view.fragments[i], encoding)) marked.push_back(i);
  if (marked.size() == frames && listed == frames &&
      !std::equal(marked.begin(), marked.end(), by_table->begin()))
    return contradiction("the offset table begins frames where no codestream begins.");
  // A table that stops early where the fragments would suffice: two readings, so neither.
  if (listed < frames && view.fragments.size() >= frames)
    return contradiction("the offset table lists fewer frames than Number of Frames.");
  return by_table;
}

}  // namespace

Result<Division> divide_fragments(const FragmentView& view, std::uint32_t frames,
                                  PixelEncoding encoding) {
  FIDUCIA_ASSERT(view.fragments.size() == view.offsets.size());
  if (view.fragments.empty()) return contradiction("encapsulated Pixel Data has no fragment.");
  if (view.fragments.size() > limits::fragments_max)
    return fail(ErrorCode::over_limit, "Pixel Data has too many fragments.",
                "Split the object into smaller ones.");
  Division out;
  // One chain for the whole video (PS3.5 section 8.2.5); its tables mean nothing to us.
  if (encoding != PixelEncoding::video) {
    auto by_tables = starts_by_tables(view, frames, encoding);
    if (by_tables && *by_tables) {
      out.starts = std::move(**by_tables);
      return out;
    }
    out.tables_are_wrong = !by_tables;
    if (out.tables_are_wrong) {
      // Fragments that divide by themselves leave no doubt about the frames, but about the table.
      auto starts = starts_without_tables(view, frames, encoding);
      if (!starts) return std::unexpected(std::move(by_tables).error());
      out.starts = std::move(*starts);
      return out;
    }
  }
  FIDUCIA_TRY(starts, starts_without_tables(view, frames, encoding));
  out.starts = std::move(starts);
  return out;
}

std::vector<ByteView> codestream_pieces(std::span<const ByteView> fragments,
                                        PixelEncoding encoding) {
  std::vector<ByteView> pieces;
  pieces.reserve(fragments.size());
  for (const ByteView fragment : fragments)
    if (!fragment.empty()) pieces.push_back(fragment);
  if (!is_jpeg(encoding) && !is_jpeg_2000(encoding)) return pieces;

  // Reads backwards from the end, across pieces.
  struct Position {
    std::size_t piece;
    std::size_t end;  // bytes of pieces[piece] not yet looked at
  };
  const auto step_back = [&](Position& at) -> std::optional<std::byte> {
    while (at.end == 0) {
      if (at.piece == 0) return std::nullopt;
      at.end = pieces[--at.piece].size();
    }
    return pieces[at.piece][--at.end];
  };
  /// Cuts behind `at` when D9 with FF before it ends there.
  const auto cut_after_eoi = [&](Position at) {
    if (step_back(at) != std::byte{0xD9}) return false;
    const Position last = at;
    if (step_back(at) != std::byte{0xFF}) return false;
    pieces.resize(last.piece + 1);
    pieces.back() = pieces.back().first(last.end + 1);
    return true;
  };
  const Position end{pieces.size(), 0};
  Position before_padding = end;
  for (Position at = end;;) {
    const std::optional<std::byte> byte = step_back(at);
    if (byte != std::byte{0x00} && byte != std::byte{0xFF}) break;
    before_padding = at;
  }
  if (cut_after_eoi(before_padding)) return pieces;
  // Some writers (DCMTK's JPEG-LS) make an odd codestream even with whatever byte is at hand.
  std::size_t total_bytes = 0;
  for (const ByteView piece : pieces) total_bytes += piece.size();
  Position before_last = end;
  if (total_bytes % 2 == 0 && step_back(before_last)) cut_after_eoi(before_last);
  return pieces;
}

}  // namespace fiducia::codec
