// SPDX-License-Identifier: Apache-2.0
#include <openjph/ojph_arch.h>
#include <openjph/ojph_codestream.h>
#include <openjph/ojph_file.h>
#include <openjph/ojph_mem.h>
#include <openjph/ojph_params.h>
#include <openjph/ojph_version.h>

#include <algorithm>
#include <exception>
#include <new>

#include "jpeg_2000_header.h"
#include "samples.h"

namespace fiducia::decoder {
namespace {

#define FIDUCIA_TEXT_(x) #x
#define FIDUCIA_TEXT(x) FIDUCIA_TEXT_(x)
constexpr const char* decoder_name =
    "OpenJPH " FIDUCIA_TEXT(OPENJPH_VERSION_MAJOR) "." FIDUCIA_TEXT(
        OPENJPH_VERSION_MINOR) "." FIDUCIA_TEXT(OPENJPH_VERSION_PATCH);

/// Throws what the library throws.
bool pull_frame(ByteView codestream, const Jpeg2000Header& header, const Geometry& geometry,
                unsigned shift, std::span<std::byte> out) {
  ojph::mem_infile file;
  file.open(reinterpret_cast<const ojph::ui8*>(codestream.data()), codestream.size());
  ojph::codestream stream;
  stream.read_headers(&file);
  const ojph::param_siz size = stream.access_siz();
  const unsigned samples = geometry.samples_per_pixel;
  if (size.get_num_components() != samples) return false;
  for (unsigned c = 0; c < samples; ++c)
    if (size.get_recon_width(c) != geometry.columns || size.get_recon_height(c) != geometry.rows)
      return false;
  stream.set_planar(false);  // rows of all components in turn
  stream.create();

  // Lossy streams may overshoot; lossless ones never meet these bounds.
  const std::int64_t low = header.is_signed ? -(std::int64_t{1} << (header.precision - 1)) : 0;
  const std::int64_t high = low + (std::int64_t{1} << header.precision) - 1;
  std::vector<std::int32_t> row(geometry.columns);
  for (std::size_t y = 0; y < geometry.rows; ++y) {
    for (unsigned c = 0; c < samples; ++c) {
      ojph::ui32 component = 0;
      const ojph::line_buf* line = stream.pull(component);
      if (line == nullptr || component != c || line->size < geometry.columns) return false;
      for (std::size_t x = 0; x < row.size(); ++x)
        row[x] = static_cast<std::int32_t>(std::clamp<std::int64_t>(line->i32[x], low, high));
      put_samples(row.data(), row.size(), shift, geometry, y * geometry.columns * samples + c,
                  samples, out);
    }
  }
  stream.close();
  return true;
}

/// OpenJPH 0.9 is wrong, without a word, where the wavelet goes on after the image has shrunk to
/// one sample (2 x 2 with 3 levels). So it gets plain streams of images that outlast their
/// levels; OpenJPEG, right in these cases, has the rest.
bool is_safe_for_openjph(const Jpeg2000Header& header) {
  return header.high_throughput && header.precision <= 24 && header.plain && header.levels <= 15 &&
         std::min(header.width, header.height) >> header.levels != 0;
}

}  // namespace

Result<Outcome> decode_htj2k(ByteView bytes, const Geometry& geometry, std::span<std::byte> out) {
  FIDUCIA_TRY(codestream, find_codestream(bytes));
  FIDUCIA_TRY(header, read_jpeg_2000_header(codestream));
  FIDUCIA_CHECK(check_jpeg_2000_header(header, geometry));
  FIDUCIA_TRY(shift, container_shift(geometry, header.precision));
  // OpenJPH reads Part 15 only. What it cannot read, or not to the end, OpenJPEG may.
  if (is_safe_for_openjph(header)) {
    try {
      if (pull_frame(codestream, header, geometry, shift, out))
        return Outcome{.lossless = header.reversible,
                       .photometric_interpretation = decoded_photometric(header, geometry),
                       .decoder = decoder_name};
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {
      // Said again, in its own way, by the second opinion.
    }
  }
  return decode_jpeg_2000(bytes, geometry, out);
}

}  // namespace fiducia::decoder
