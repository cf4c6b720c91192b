// SPDX-License-Identifier: Apache-2.0
#include "codec/frames.h"

#include <algorithm>
#include <chrono>

#include "codec/fragments.h"
#include "codec/native.h"
#include "codec/rle.h"
#include "deflate/deflate.h"

namespace fiducia::codec {
namespace {

using dicom::PixelEncoding;

std::unexpected<Error> bad_pixel_data(const std::string& what, std::uint64_t offset) {
  auto failed = fail_malformed("pixel_data", what, offset);
  failed.error().where.element = dicom::to_string(dicom::tags::pixel_data);
  failed.error().remedy = "Fetch the file again from its source.";
  return failed;
}

const dicom::Element* find_pixels(const dicom::DataSet& data_set) {
  for (const dicom::Tag tag : {dicom::tags::pixel_data, dicom::tags::float_pixel_data,
                               dicom::tags::double_float_pixel_data})
    if (const dicom::Element* element = data_set.find(tag)) return element;
  return nullptr;
}

ByteView value_of(const dicom::DataSet& data_set, dicom::Tag tag) {
  const dicom::Element* element = data_set.find(tag);
  return element == nullptr ? ByteView{} : element->value;
}

std::uint64_t total_bytes(std::span<const ByteView> pieces) {
  std::uint64_t bytes = 0;
  for (const ByteView piece : pieces) bytes += piece.size();
  return bytes;
}

std::unexpected<Error> undecodable(const std::string& what) {
  return fail(ErrorCode::codec_failed, what, "Fetch the file again from its source.");
}

/// Bytes an encoder needs at least for a frame: what is shorter is refused before memory is set
/// aside. A PackBits run makes 128 bytes of 2; deflate makes at most 1032 of 1 (RFC 1951: 258
/// bytes by two codes of one bit each).
constexpr std::uint64_t rle_ratio_max = 64;
constexpr std::uint64_t deflate_ratio_max = 1032;

/// What decoding a sample costs at least, in the unit of Budget: measured with blank images, whose
/// codestreams cost nothing themselves (docs/performance.md).
std::uint64_t work_a_sample(PixelEncoding encoding) {
  switch (encoding) {
    case PixelEncoding::jpeg_2000:
      return 28;
    case PixelEncoding::htj2k:
      return 20;
    case PixelEncoding::jpeg_xl:
      return 40;
    case PixelEncoding::jpeg_lossless:
    case PixelEncoding::jpeg_extended:
    case PixelEncoding::jpeg_other:
      return 15;
    case PixelEncoding::jpeg_baseline:
    case PixelEncoding::jpeg_ls:
      return 10;
    case PixelEncoding::deflated_frame:
      return 2 * limits::work_an_inflated_byte;
    default:
      return 1;
  }
}

/// Whether fiducia-codec decodes it.
bool is_decoded_by_child(PixelEncoding encoding) {
  switch (encoding) {
    case PixelEncoding::jpeg_baseline:
    case PixelEncoding::jpeg_extended:
    case PixelEncoding::jpeg_lossless:
    case PixelEncoding::jpeg_other:
    case PixelEncoding::jpeg_ls:
    case PixelEncoding::jpeg_2000:
    case PixelEncoding::htj2k:
    case PixelEncoding::jpeg_xl:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct FrameReader::State {
  const dicom::File* file = nullptr;
  CodecChild* child = nullptr;
  const dicom::TransferSyntax* syntax = nullptr;
  Geometry geometry;
  PixelEncoding encoding = PixelEncoding::native;
  dicom::Loss loss = dicom::Loss::none;
  bool encapsulated = false;
  std::uint32_t frames_present = 0;

  // Native: the whole value. Encapsulated: fragments and where frames start among them.
  NativeLayout layout;
  ByteView value;
  ByteView excess;
  Bytes excess_swapped;
  std::span<const ByteView> fragments;
  std::vector<std::uint32_t> starts;
  Oddities form;

  /// Time spent on frames that failed.
  std::chrono::steady_clock::duration failing_time = {};
  std::uint32_t last_read = 0;  // the frame

  Bytes decoded;  // the frame given out last, unless borrowed
  Bytes scratch;
  Bytes joined;

  void look_at_form();
  void look_at_frames();
  std::optional<std::array<std::uint8_t, 2>> sample_form_of(std::uint32_t frame) const;
  std::uint64_t passes(std::uint32_t frame) const;
  std::uint64_t work_of(std::uint32_t frame) const;
  Status pay(std::uint32_t frame) const;
  Status open_native(const dicom::Element& element);
  Status open_encapsulated(const dicom::Element& element);
  std::span<const ByteView> fragments_of(std::uint32_t frame) const;
  Result<ByteView> joined_fragments(std::uint32_t frame, std::uint64_t ratio_max,
                                    std::uint64_t decoded_bytes);
  Frame frame_of(const char* decoder) const;
  Result<Frame> read_native(std::uint32_t frame);
  Result<Frame> read_lone_native(ByteView bytes, const char* decoder);
  Result<Frame> read_rle(std::uint32_t frame);
  Result<Frame> read_deflated(std::uint32_t frame);
  Result<Frame> read_by_child(std::uint32_t frame, bool renditions_follow);
  template <class Decode>
  Result<Decoded> timed(std::uint64_t bytes, Decode decode) const;
  Result<Frame> take(Result<Decoded> answer) const;
  Result<Frame> decode(std::uint32_t frame, bool renditions_follow);
  Oddities inspect(std::uint32_t frame) const;
};

/// Subsampled chrominance that is not stored as PS3.3 C.7.6.3.1.2 has it: other readers take pairs
/// of pixels where this one takes pixels, or the other way round.
void FrameReader::State::look_at_form() {
  const std::string& named = geometry.photometric_interpretation;
  if (geometry.samples_per_pixel != 3 || (named != "YBR_FULL_422" && named != "YBR_PARTIAL_422"))
    return;
  switch (encoding) {
    case PixelEncoding::native:
    case PixelEncoding::encapsulated_native:
    case PixelEncoding::deflated_frame:
      if (!layout.subsampled_422) form.add(Oddity::ybr_422_full);
      if (geometry.planar_configuration != 0) form.add(Oddity::ybr_422_planar);
      break;
    case PixelEncoding::rle:
    case PixelEncoding::jpeg_ls:
    case PixelEncoding::jpeg_2000:
    case PixelEncoding::htj2k:
      form.add(Oddity::ybr_422_full);
      break;
    default:
      break;  // JPEG and JPEG XL subsample inside
  }
}

std::optional<std::array<std::uint8_t, 2>> FrameReader::State::sample_form_of(
    std::uint32_t frame) const {
  const std::span<const ByteView> pieces = fragments_of(frame);
  if (pieces.size() == 1) return sample_form(pieces.front(), encoding);
  // Headers are at the front, in segments of at most 64 KiB.
  constexpr std::size_t looked_at_bytes = 256 << 10;
  Bytes start;
  for (const ByteView piece : pieces) {
    if (start.size() >= looked_at_bytes) break;
    append(start, piece.first(std::min(piece.size(), looked_at_bytes - start.size())));
  }
  return sample_form(start, encoding);
}

/// Readers take precision and interleaving of the first frame, or of the first sample, for all.
void FrameReader::State::look_at_frames() {
  const bool is_jpeg = encoding == PixelEncoding::jpeg_baseline ||
                       encoding == PixelEncoding::jpeg_extended ||
                       encoding == PixelEncoding::jpeg_lossless ||
                       encoding == PixelEncoding::jpeg_other || encoding == PixelEncoding::jpeg_ls;
  const bool is_2000 = encoding == PixelEncoding::jpeg_2000 || encoding == PixelEncoding::htj2k;
  // PS3.5 A.4.2 has one fragment a frame, and DCMTK takes no more.
  if (encapsulated && encoding == PixelEncoding::rle)
    for (std::uint32_t f = 0; f < frames_present; ++f)
      if (std::ranges::count_if(fragments_of(f), [](ByteView piece) { return !piece.empty(); }) > 1)
        form.add(Oddity::rle_fragments);
  if (!encapsulated || frames_present == 0 || !(is_jpeg || is_2000)) return;
  std::optional<std::array<std::uint8_t, 2>> first;
  for (std::uint32_t f = 0; f < frames_present; ++f) {
    const auto here = sample_form_of(f);
    if (!here) continue;
    if (!first) first = here;
    if (here != first || (is_2000 && (*here)[1] != 0)) {
      form.add(Oddity::frames_differ);
      return;
    }
  }
}

/// How often a decoder goes over all samples: once for each scan of a JPEG, as progressive ones of
/// a few bytes a scan visit every coefficient again. FFDA cannot stand in entropy-coded data.
std::uint64_t FrameReader::State::passes(std::uint32_t frame) const {
  if (encoding != PixelEncoding::jpeg_baseline && encoding != PixelEncoding::jpeg_extended &&
      encoding != PixelEncoding::jpeg_lossless && encoding != PixelEncoding::jpeg_other)
    return 1;
  std::uint64_t scans = 0;
  for (const ByteView piece : fragments_of(frame)) {
    std::string_view rest = as_text(piece);
    for (std::size_t at = 0; (at = rest.find("\xFF\xDA", at)) != std::string_view::npos; at += 2)
      ++scans;
  }
  // Scans of one component each are how lossless colour is written.
  return std::max<std::uint64_t>(1, scans / geometry.samples_per_pixel);
}

/// What a frame costs, hashing and looking at its tiles included.
std::uint64_t FrameReader::State::work_of(std::uint32_t frame) const {
  const std::uint64_t samples =
      std::uint64_t{geometry.rows} * geometry.columns * geometry.samples_per_pixel;
  const std::uint64_t tiles =
      (geometry.rows / 64 + std::uint64_t{1}) * (geometry.columns / 64 + std::uint64_t{1});
  return limits::work_a_frame + (is_decoded_by_child(encoding) ? limits::work_a_codestream : 0) +
         tiles * limits::work_a_tile + samples * work_a_sample(encoding) * passes(frame) +
         geometry.frame_bytes() * limits::work_a_hashed_byte;
}

/// Takes that from the object's budget, and refuses frames that need more memory than the file's
/// size explains.
Status FrameReader::State::pay(std::uint32_t frame) const {
  const std::uint64_t samples =
      std::uint64_t{geometry.rows} * geometry.columns * geometry.samples_per_pixel;
  const std::uint64_t bytes = geometry.frame_bytes();
  const std::uint64_t a_byte = limits::frame_samples_a_byte * file->bytes().size();
  const bool by_child = is_decoded_by_child(encoding);
  if (by_child ? samples > std::max(limits::frame_samples_free, a_byte)
               : encapsulated && bytes > std::max(limits::frame_bytes_free, a_byte))
    return fail(ErrorCode::over_limit, "a frame is larger than a file of this size may have.",
                "Convert it to an uncompressed transfer syntax first, if its source is trusted.");
  const std::uint64_t work = work_of(frame);
  if (by_child) file->budget().allow_decoding(limits::decoder_ns_a_unit * work);
  return file->budget().spend(work);
}

Status FrameReader::State::open_native(const dicom::Element& element) {
  value = element.value;
  layout.frame_bits = geometry.native_frame_bits();
  layout.subsampled_422 = is_subsampled_422(geometry);
  if (element.big_endian) layout.swap_unit_bytes = dicom::swap_unit_bytes(element.vr);
  const std::uint64_t value_bits = std::uint64_t{value.size()} * 8;
  if (layout.subsampled_422) {
    // Many writers say 422 of full pixels. The length of the value tells the two apart.
    const std::uint64_t full_bytes = std::uint64_t{geometry.frames} * geometry.frame_bytes();
    if (value.size() == full_bytes + full_bytes % 2 || value.size() == full_bytes) {
      layout.subsampled_422 = false;
      layout.frame_bits = geometry.frame_bytes() * 8;
    }
  }
  frames_present = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(geometry.frames, value_bits / layout.frame_bits));
  std::uint64_t used = (frames_present * layout.frame_bits + 7) / 8;
  // The pad byte belongs to a whole value only; what is left of a short one is shown as it is.
  if (frames_present == geometry.frames && used % 2 != 0) ++used;
  if (used < value.size()) {
    excess = value.subspan(static_cast<std::size_t>(used));
    if (layout.swap_unit_bytes > 1) {
      excess_swapped.resize(excess.size());
      copy_swapped(excess, layout.swap_unit_bytes, excess_swapped.data());
      excess = excess_swapped;
    }
  }
  return {};
}

Status FrameReader::State::open_encapsulated(const dicom::Element& element) {
  const dicom::DataSet& data_set = file->data_set();
  if (element.tag != dicom::tags::pixel_data)
    return bad_pixel_data("float pixel data cannot be encapsulated.", element.offset);
  if (encoding == PixelEncoding::native)
    return bad_pixel_data("Pixel Data is in fragments, but the transfer syntax is a native one.",
                          element.offset);
  fragments = data_set.fragments();
  const FragmentView view{
      .fragments = fragments,
      .offsets = data_set.fragment_offsets(),
      .basic_offset_table = data_set.basic_offset_table(),
      .extended_offset_table = value_of(data_set, dicom::tags::extended_offset_table),
      .extended_offset_table_lengths =
          value_of(data_set, dicom::tags::extended_offset_table_lengths)};
  auto division = divide_fragments(view, geometry.frames, encoding);
  if (!division) {
    division.error().where.offset = element.offset;
    return std::unexpected(std::move(division).error());
  }
  starts = std::move(division->starts);
  if (division->tables_are_wrong) form.add(Oddity::offset_table);
  frames_present = static_cast<std::uint32_t>(starts.size() - 1);
  layout.frame_bits = geometry.native_frame_bits();
  layout.subsampled_422 = is_subsampled_422(geometry);
  return {};
}

std::span<const ByteView> FrameReader::State::fragments_of(std::uint32_t frame) const {
  FIDUCIA_ASSERT(encapsulated && frame < frames_present);
  return fragments.subspan(starts[frame], starts[frame + 1] - starts[frame]);
}

/// The encoded frame in one piece, refused when it could not yield `decoded_bytes` anyway.
Result<ByteView> FrameReader::State::joined_fragments(std::uint32_t frame, std::uint64_t ratio_max,
                                                      std::uint64_t decoded_bytes) {
  const std::span<const ByteView> pieces = fragments_of(frame);
  const std::uint64_t bytes = total_bytes(pieces);
  if (bytes < decoded_bytes / ratio_max)
    return undecodable("the encoded frame is too short for its rows and columns.");
  if (pieces.size() == 1) return pieces.front();
  joined.clear();
  joined.reserve(static_cast<std::size_t>(bytes));
  for (const ByteView piece : pieces) append(joined, piece);
  return ByteView{joined};
}

Frame FrameReader::State::frame_of(const char* decoder) const {
  return Frame{.samples = decoded,
               .borrowed_from_file = false,
               .carries_all_bits = true,
               .lossless = true,
               .photometric_interpretation = geometry.photometric_interpretation,
               .decoder = decoder};
}

Result<Frame> FrameReader::State::read_native(std::uint32_t frame) {
  if (is_borrowable(geometry, layout)) {
    const std::uint64_t bytes = geometry.frame_bytes();
    Frame out = frame_of("native");
    out.samples =
        value.subspan(static_cast<std::size_t>(frame * bytes), static_cast<std::size_t>(bytes));
    out.borrowed_from_file = true;
    return out;
  }
  decoded.resize(static_cast<std::size_t>(geometry.frame_bytes()));
  convert_native_frame(geometry, layout, value, frame, decoded, scratch);
  return frame_of("native");
}

/// A frame whose stored bytes stand alone: in a fragment, or inflated from one.
Result<Frame> FrameReader::State::read_lone_native(ByteView bytes, const char* decoder) {
  decoded.resize(static_cast<std::size_t>(geometry.frame_bytes()));
  convert_native_frame(geometry, layout, bytes, 0, decoded, scratch);
  return frame_of(decoder);
}

Result<Frame> FrameReader::State::read_rle(std::uint32_t frame) {
  const std::uint64_t planes = std::uint64_t{geometry.rows} * geometry.columns *
                               geometry.samples_per_pixel * geometry.bits_allocated / 8;
  FIDUCIA_TRY(encoded, joined_fragments(frame, rle_ratio_max, planes));
  decoded.resize(static_cast<std::size_t>(geometry.frame_bytes()));
  FIDUCIA_TRY(oddities, decode_rle(encoded, geometry, decoded, scratch));
  Frame out = frame_of("rle");
  out.oddities = oddities;
  return out;
}

Result<Frame> FrameReader::State::read_deflated(std::uint32_t frame) {
  const std::uint64_t stored = lone_frame_bytes(geometry, layout);
  FIDUCIA_TRY(encoded, joined_fragments(frame, deflate_ratio_max, stored));
  const auto inflated = deflate::inflate(
      encoded,
      {.form = deflate::Form::raw, .bytes_max = stored, .bytes_expected = stored, .origin = 0});
  if (!inflated || inflated->bytes.size() != stored)
    return undecodable("the deflated frame is damaged or is not as long as its rows and columns.");
  FIDUCIA_TRY(out, read_lone_native(inflated->bytes, "deflate"));
  if (inflated->bytes_after > 1) out.oddities.add(Oddity::bytes_around);  // than the pad byte
  return out;
}

Result<Frame> FrameReader::State::read_by_child(std::uint32_t frame, bool renditions_follow) {
  if (child == nullptr)
    return fail(ErrorCode::codec_missing, "this transfer syntax needs the decoder fiducia-codec.",
                "Install fiducia-codec beside fiducia.");
  // A file of a million frames that each take their full time would stop the world. Time is the
  // last resort: what a decoder does inside cannot be counted.
  if (failing_time > std::chrono::milliseconds{limits::decode_failing_ms_max})
    return undecodable("frames before this one took the decoder too long in vain.");
  const std::vector<ByteView> pieces = codestream_pieces(fragments_of(frame), encoding);
  const auto start = std::chrono::steady_clock::now();
  auto answer = timed(total_bytes(pieces),
                      [&] { return child->decode(encoding, geometry, pieces, renditions_follow); });
  if (!answer) failing_time += std::chrono::steady_clock::now() - start;
  return take(std::move(answer));
}

/// What `decode` has the child do, which may take what the object has left of processor time, and
/// more for the bytes that it reads.
template <class Decode>
Result<Decoded> FrameReader::State::timed(std::uint64_t bytes, Decode decode) const {
  Budget& budget = file->budget();
  budget.allow_decoding(limits::decoder_ns_a_byte * bytes);
  const std::uint64_t may_take = budget.decoding_left();
  child->limit_time(may_take);
  auto answer = decode();
  budget.take_decoding(may_take - child->time_left());
  return answer;
}

/// A frame of what the child gave.
Result<Frame> FrameReader::State::take(Result<Decoded> answer) const {
  FIDUCIA_TRY(got, std::move(answer));
  FIDUCIA_ASSERT(got.samples.size() == geometry.frame_bytes());
  // Only pixel cells of the Bits Stored went into these codestreams.
  return Frame{.samples = got.samples,
               .borrowed_from_file = false,
               .carries_all_bits = false,
               .lossless = got.lossless && loss != dicom::Loss::lossy,
               .photometric_interpretation = std::move(got.photometric_interpretation),
               .decoder = std::move(got.decoder),
               .oddities = got.oddities};
}

Result<Frame> FrameReader::State::decode(std::uint32_t frame, bool renditions_follow) {
  if (is_decoded_by_child(encoding)) return read_by_child(frame, renditions_follow);
  switch (encoding) {
    case PixelEncoding::native:
      return read_native(frame);
    case PixelEncoding::rle:
      return read_rle(frame);
    case PixelEncoding::deflated_frame:
      return read_deflated(frame);
    case PixelEncoding::encapsulated_native: {
      const std::uint64_t stored = lone_frame_bytes(geometry, layout);
      FIDUCIA_TRY(bytes, joined_fragments(frame, 1, stored));
      if (bytes.size() - stored > 1)
        return undecodable("the fragment is longer than its rows and columns.");
      return read_lone_native(bytes, "native");
    }
    default:
      break;
  }
  auto failed = fail(ErrorCode::unsupported, "frames of this transfer syntax cannot be decoded.",
                     "Convert the image to another transfer syntax.");
  failed.error().kind = "transfer_syntax";
  return failed;
}

/// What the frame as it is encoded says beside its samples.
Oddities FrameReader::State::inspect(std::uint32_t frame) const {
  const std::span<const ByteView> pieces = fragments_of(frame);
  if (pieces.size() == 1) return inspect_codestream(pieces.front(), *syntax, geometry);
  Bytes whole;
  whole.reserve(static_cast<std::size_t>(total_bytes(pieces)));
  for (const ByteView piece : pieces) append(whole, piece);
  return inspect_codestream(whole, *syntax, geometry);
}

Result<FrameReader> FrameReader::open(const dicom::File& file, CodecChild* child,
                                      const dicom::TransferSyntax* unnamed, const Geometry* known) {
  const dicom::DataSet& data_set = file.data_set();
  FIDUCIA_TRY(geometry,
              known != nullptr ? Result<std::optional<Geometry>>(*known) : read_geometry(data_set));
  const dicom::Element* element = find_pixels(data_set);
  if (!geometry || element == nullptr)
    return fail_malformed("pixel_data", "there is no Pixel Data.");
  auto state = std::make_unique<State>();
  state->file = &file;
  state->child = child;
  state->geometry = std::move(*geometry);
  state->syntax = &file.transfer_syntax();
  if (element->encapsulated && state->syntax->uid.empty() && unnamed != nullptr)
    state->syntax = unnamed;
  state->encoding = state->syntax->encoding;
  state->loss = state->syntax->loss;
  state->encapsulated = element->encapsulated;
  if (element->encapsulated) {
    FIDUCIA_CHECK(state->open_encapsulated(*element));
  } else {
    if (state->syntax->encapsulated && element->tag == dicom::tags::pixel_data)
      return bad_pixel_data(
          "Pixel Data is not in fragments, but the transfer syntax asks for them.",
          element->offset);
    state->encoding = PixelEncoding::native;
    FIDUCIA_CHECK(state->open_native(*element));
  }
  state->look_at_form();
  state->look_at_frames();
  return FrameReader{std::move(state)};
}

const dicom::TransferSyntax& FrameReader::transfer_syntax() const { return *state_->syntax; }
const Geometry& FrameReader::geometry() const { return state_->geometry; }
std::uint32_t FrameReader::frames_present() const { return state_->frames_present; }
ByteView FrameReader::excess() const { return state_->excess; }
bool FrameReader::is_encapsulated() const { return state_->encapsulated; }

std::vector<ByteView> FrameReader::encoded(std::uint32_t frame) const {
  return codestream_pieces(state_->fragments_of(frame), state_->encoding);
}

Oddities FrameReader::form_oddities() const { return state_->form; }

Oddities FrameReader::oddities(std::uint32_t frame) const {
  return state_->encapsulated ? state_->inspect(frame) : Oddities{};
}

bool FrameReader::has_renditions() const {
  const Geometry& g = state_->geometry;
  const bool is_jpeg = state_->encoding == PixelEncoding::jpeg_baseline ||
                       state_->encoding == PixelEncoding::jpeg_extended ||
                       state_->encoding == PixelEncoding::jpeg_other;
  return is_jpeg && g.samples_per_pixel == 3 && g.bits_allocated == 8 && g.bits_stored == 8 &&
         g.photometric_interpretation.starts_with("YBR_");
}

Result<Frame> FrameReader::read(std::uint32_t frame) { return read(frame, false); }

Result<Frame> FrameReader::read_first(std::uint32_t frame) {
  FIDUCIA_ASSERT(has_renditions());
  return read(frame, true);
}

Result<Frame> FrameReader::read_again(Rendition rendition) {
  State& state = *state_;
  FIDUCIA_ASSERT(has_renditions() && state.child != nullptr);
  FIDUCIA_CHECK(state.pay(state.last_read));
  return state.take(state.timed(0, [&] { return state.child->decode_again(rendition); }));
}

Status FrameReader::pay_again(std::uint32_t frame) const { return state_->pay(frame); }

std::uint64_t FrameReader::work() const {
  std::uint64_t sum = 0;
  for (std::uint32_t f = 0; f < state_->frames_present; ++f) sum += state_->work_of(f);
  return sum;
}

Result<Frame> FrameReader::read(std::uint32_t frame, bool renditions_follow) {
  State& state = *state_;
  if (frame >= state.frames_present) {
    auto failed =
        fail(ErrorCode::truncated,
             "frame " + std::to_string(std::uint64_t{frame} + 1) + " is not in the file; " +
                 std::to_string(state.frames_present) + " frames are there.",
             "Fetch the file again from its source.");
    failed.error().where.element = dicom::to_string(dicom::tags::pixel_data);
    return failed;
  }
  if (state.encapsulated &&
      total_bytes(state.fragments_of(frame)) > limits::encoded_frame_bytes_max)
    return fail(ErrorCode::over_limit, "the encoded frame is too large.",
                "Split the object into smaller ones.");
  FIDUCIA_CHECK(state.pay(frame));
  state.last_read = frame;
  auto out = state.decode(frame, renditions_follow);
  // The RLE decoder saw all of it; codestreams for the child are looked at here.
  if (out && is_decoded_by_child(state.encoding)) out->oddities.add(state.inspect(frame));
  return out;
}

FrameReader::FrameReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameReader::FrameReader(FrameReader&&) noexcept = default;
FrameReader& FrameReader::operator=(FrameReader&&) noexcept = default;
FrameReader::~FrameReader() = default;

}  // namespace fiducia::codec
