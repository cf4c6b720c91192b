// SPDX-License-Identifier: Apache-2.0
// How often the pixel sketch finds an altered image again, and how often it proposes a wrong one.
//   sketch_recall STORE RAW...      (RAW made by bench/export-samples; docs/sketch.md)
//
// All random choices come from one fixed seed: two runs print the same.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>

#include "canonical/canonical.h"
#include "store/sketch.h"
#include "store/store.h"

using namespace fiducia;

namespace {

constexpr std::uint32_t tile_edge = 64;

struct Image {
  std::string set;
  std::uint32_t width = 0, height = 0;
  std::uint16_t samples_per_pixel = 1;
  std::uint8_t sample_bytes = 2;
  Bytes samples;
  std::size_t pixel_bytes() const { return std::size_t{samples_per_pixel} * sample_bytes; }
  std::uint32_t tile_columns() const { return (width + tile_edge - 1) / tile_edge; }
  std::uint32_t tile_rows() const { return (height + tile_edge - 1) / tile_edge; }
  std::byte* pixel(std::size_t x, std::size_t y) {
    return samples.data() + (y * width + x) * pixel_bytes();
  }
};

canonical::Sketch sketch_of(const Image& image, canonical::SketchBuilder& builder) {
  for (std::uint32_t row = 0; row < image.tile_rows(); ++row)
    for (std::uint32_t column = 0; column < image.tile_columns(); ++column) {
      const std::uint32_t x = column * tile_edge, y = row * tile_edge;
      const std::uint32_t width = std::min(tile_edge, image.width - x);
      builder.add({.frame = 0,
                   .row = row,
                   .column = column,
                   .width = width,
                   .height = std::min(tile_edge, image.height - y),
                   .samples_per_pixel = image.samples_per_pixel,
                   .sample_bytes = image.sample_bytes,
                   .first_row = image.samples.data() +
                                (std::size_t{y} * image.width + x) * image.pixel_bytes(),
                   .row_bytes = width * image.pixel_bytes(),
                   .stride_bytes = image.width * image.pixel_bytes()});
    }
  return builder.finish();
}

std::optional<Image> read_raw(const char* path) {
  std::ifstream file{path, std::ios::binary};
  unsigned width = 0, height = 0, samples = 0, bytes = 0;
  if (!(file >> width >> height >> samples >> bytes) || file.get() != '\n') return std::nullopt;
  Image image{.set = "real",
              .width = width,
              .height = height,
              .samples_per_pixel = static_cast<std::uint16_t>(samples),
              .sample_bytes = static_cast<std::uint8_t>(bytes),
              .samples = Bytes(std::size_t{width} * height * samples * bytes)};
  file.read(reinterpret_cast<char*>(image.samples.data()),
            static_cast<std::streamsize>(image.samples.size()));
  return file ? std::optional{std::move(image)} : std::nullopt;
}

void add_to_sample(std::byte* sample, std::uint8_t bytes, int delta) {
  if (bytes == 1) {
    *sample = static_cast<std::byte>(std::clamp(std::to_integer<int>(*sample) + delta, 0, 255));
  } else {
    store_le(sample, static_cast<std::uint16_t>(
                         std::clamp(load_le<std::uint16_t>(sample) + delta, 0, 65535)));
  }
}

// --- the derived set
// -------------------------------------------------------------------------------

/// A slice of a series derived from one real image: moved a little, fresh noise where the image
/// is not at its lowest value (air that a scanner clamps stays clamped).
Image derived_slice(const Image& real, std::uint64_t slice, std::mt19937_64& prng) {
  Image image = real;
  image.set = "series";
  const std::size_t dx = slice % 7, dy = slice % 5;
  for (std::size_t y = 0; y < image.height; ++y)
    for (std::size_t x = 0; x < image.width; ++x) {
      const std::size_t from = (y + dy) % image.height * image.width + (x + dx) % image.width;
      std::byte* to = image.pixel(x, y);
      std::copy_n(real.samples.data() + from * real.pixel_bytes(), real.pixel_bytes(), to);
      if (image.sample_bytes == 2 && load_le<std::uint16_t>(to) != 0)
        add_to_sample(to, 2, static_cast<int>(prng() % 7) - 3);
    }
  return image;
}

/// Smooth structure plus detector noise, like a radiograph.
Image radiograph(std::uint32_t width, std::uint32_t height, std::mt19937_64& prng) {
  Image image{.set = "radiograph",
              .width = width,
              .height = height,
              .samples = Bytes(std::size_t{width} * height * 2)};
  const double a = static_cast<double>(prng() % 100 + 20),
               b = static_cast<double>(prng() % 100 + 20);
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x)
      store_le(image.pixel(x, y),
               static_cast<std::uint16_t>(2000 +
                                          900 * std::sin(static_cast<double>(x) / a) *
                                              std::cos(static_cast<double>(y) / b) +
                                          static_cast<double>(prng() % 21)));
  return image;
}

/// Nothing but one value, a few lines and some text-like marks.
Image blank(std::mt19937_64& prng) {
  Image image{
      .set = "blank", .width = 512, .height = 512, .sample_bytes = 1, .samples = Bytes(512 * 512)};
  for (int line = 0; line < 4; ++line)
    std::fill_n(image.pixel(0, prng() % 512), 512, std::byte{255});
  for (int mark = 0; mark < 30; ++mark) *image.pixel(prng() % 512, prng() % 512) = std::byte{255};
  return image;
}

/// A screen: the same busy frame on each, the middle quarter its own.
Image screen(const Image& frame, std::mt19937_64& prng) {
  Image image = frame;
  image.set = "screen";
  for (std::size_t y = 128; y < 384; ++y)
    for (std::size_t x = 128; x < 384; ++x)
      *image.pixel(x, y) = static_cast<std::byte>(100 + prng() % 50);
  return image;
}

// --- alterations
// -----------------------------------------------------------------------------------

std::vector<std::uint32_t> some_tiles(const Image& image, double share, std::mt19937_64& prng) {
  std::vector<std::uint32_t> tiles(std::size_t{image.tile_rows()} * image.tile_columns());
  for (std::uint32_t i = 0; i < tiles.size(); ++i) tiles[i] = i;
  std::shuffle(tiles.begin(), tiles.end(), prng);
  tiles.resize(std::max<std::size_t>(
      1, static_cast<std::size_t>(std::lround(share * static_cast<double>(tiles.size())))));
  return tiles;
}

/// A soft round lesion in each of `share` of the tiles.
void add_lesions(Image& image, double share, std::mt19937_64& prng) {
  for (const std::uint32_t tile : some_tiles(image, share, prng)) {
    const std::size_t x0 = tile % image.tile_columns() * tile_edge;
    const std::size_t y0 = tile / image.tile_columns() * tile_edge;
    const std::size_t x1 = std::min<std::size_t>(x0 + tile_edge, image.width);
    const std::size_t y1 = std::min<std::size_t>(y0 + tile_edge, image.height);
    for (std::size_t y = y0; y < y1; ++y)
      for (std::size_t x = x0; x < x1; ++x) {
        const double dx = (static_cast<double>(x - x0) - static_cast<double>(x1 - x0) / 2) / 8;
        const double dy = (static_cast<double>(y - y0) - static_cast<double>(y1 - y0) / 2) / 8;
        const int delta = static_cast<int>(60 * std::exp(-dx * dx - dy * dy));
        for (std::size_t s = 0; delta > 0 && s < image.samples_per_pixel; ++s)
          if (image.sample_bytes <= 2)
            add_to_sample(image.pixel(x, y) + s * image.sample_bytes, image.sample_bytes, delta);
          else
            image.pixel(x, y)[0] ^= std::byte{1};
      }
  }
}

void burn_text_box(Image& image) {
  const std::size_t width = std::min<std::size_t>(160, image.width);
  const std::size_t height = std::min<std::size_t>(32, image.height);
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < width; ++x)
      std::fill_n(image.pixel(x, y), image.pixel_bytes(),
                  (x / 3 + y / 5) % 2 ? std::byte{255} : std::byte{0});
}

void noise_on_upper_half(Image& image, std::mt19937_64& prng) {
  for (std::size_t y = 0; y < image.height / 2; ++y)
    for (std::size_t x = 0; x < image.width; ++x) image.pixel(x, y)[0] ^= std::byte(prng() % 2);
}

// --- the measurement
// -------------------------------------------------------------------------------

struct Count {
  std::size_t asked = 0, first = 0, found = 0, wrong = 0;
  std::map<std::size_t, std::size_t> by_k;  // found with only the k smallest values
};

std::size_t shared(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  std::vector<std::uint64_t> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both.size();
}

std::span<const std::uint64_t> smallest(const canonical::Sketch& sketch, std::size_t k) {
  return std::span{sketch.values}.first(std::min(k, sketch.values.size()));
}

Bytes name_of(std::uint32_t number) {
  Bytes bytes(4);
  store_le(bytes.data(), number);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 1;
  const auto opened = store::open_sqlite(argv[1], Bytes(32, std::byte{9}));
  if (!opened) return 1;
  store::EvidenceStore& store = **opened;
  std::mt19937_64 prng{20261124};

  std::vector<Image> images;
  for (int i = 2; i < argc; ++i)
    if (auto image = read_raw(argv[i])) images.push_back(std::move(*image));
  std::vector<const Image*> series_from;
  std::vector<Image> strangers;  // never put into the store
  const std::size_t real_count = images.size();
  images.reserve(real_count + 3000);
  for (std::size_t i = 0; i < real_count && series_from.size() < 4; ++i)
    if (images[i].samples_per_pixel == 1 && images[i].sample_bytes == 2 && images[i].width >= 128 &&
        images[i].height >= 128)
      series_from.push_back(&images[i]);
  for (const Image* real : series_from)
    for (std::uint64_t slice = 0; slice < 300; ++slice) {
      images.push_back(derived_slice(*real, slice, prng));
      if (slice % 10 == 0) strangers.push_back(derived_slice(*real, slice, prng));
    }
  for (int i = 0; i < 300; ++i)
    images.push_back(radiograph(256 + 64 * static_cast<std::uint32_t>(prng() % 5), 384, prng));
  for (int i = 0; i < 300; ++i) images.push_back(blank(prng));
  for (int i = 0; i < 100; ++i) strangers.push_back(blank(prng));
  Image frame{
      .set = "screen", .width = 512, .height = 512, .sample_bytes = 1, .samples = Bytes(512 * 512)};
  for (std::byte& b : frame.samples) b = static_cast<std::byte>(prng() % 4 * 40);
  for (int i = 0; i < 300; ++i) images.push_back(screen(frame, prng));
  for (int i = 0; i < 100; ++i) strangers.push_back(screen(frame, prng));
  for (int i = 0; i < 100; ++i) strangers.push_back(radiograph(512, 384, prng));

  // Equal sketches are one image to the store (a file and its lossless copies): they share a
  // name, so that finding the twin counts as finding it.
  std::vector<canonical::Sketch> sketches;
  std::vector<std::uint32_t> names;
  std::map<std::vector<std::uint64_t>, std::uint32_t> first_with;
  std::map<std::string, std::array<std::size_t, 2>> sets;
  const auto builder = store.new_sketch();
  for (std::uint32_t i = 0; i < images.size(); ++i) {
    sketches.push_back(sketch_of(images[i], *builder));
    names.push_back(first_with.try_emplace(sketches[i].values, i).first->second);
    ++sets[images[i].set][0];
    sets[images[i].set][1] += !sketches[i].values.empty();
    store::Record record{.sop_instance_uid = "",
                         .object_root = {},
                         .sketch = sketches[i],
                         .evidence = name_of(names[i])};
    store_le(record.object_root.bytes.data(), i + 1);
    if (!store.put(std::span{&record, 1})) return 1;
  }
  for (const auto& [set, counts] : sets)
    std::printf("%-12s %5zu images, %5zu with textured tiles\n", set.c_str(), counts[0], counts[1]);

  const std::vector<std::pair<std::string, std::function<void(Image&)>>> alterations{
      {"none (new UIDs, re-encoded)", [](Image&) {}},
      {"lesion in 1 %", [&](Image& image) { add_lesions(image, 0.01, prng); }},
      {"lesions in 10 %", [&](Image& image) { add_lesions(image, 0.10, prng); }},
      {"lesions in 25 %", [&](Image& image) { add_lesions(image, 0.25, prng); }},
      {"lesions in 50 %", [&](Image& image) { add_lesions(image, 0.50, prng); }},
      {"lesions in 75 %", [&](Image& image) { add_lesions(image, 0.75, prng); }},
      {"text box burned in", [](Image& image) { burn_text_box(image); }},
      {"noise on the upper half", [&](Image& image) { noise_on_upper_half(image, prng); }}};
  std::printf("\n%-30s %-10s %6s %7s %7s %9s | found with k =  8     16     24     32\n",
              "alteration", "set", "asked", "first", "top 4", "wrong/ask");
  for (const auto& [what, alter] : alterations) {
    std::map<std::string, Count> counts;
    for (std::uint32_t i = 0; i < images.size(); ++i) {
      // Half of few tiles is nothing to speak of: images of 4 textured tiles and more are asked.
      if (sketches[i].textured_tiles < 4 || names[i] != i) continue;
      Image altered = images[i];
      alter(altered);
      const canonical::Sketch sketch = sketch_of(altered, *builder);
      Count& count = counts[altered.set];
      ++count.asked;
      const auto found = store.find_by_sketch(sketch).value();
      const Bytes wanted = name_of(i);
      count.first += !found.empty() && found[0] == wanted;
      count.found += std::find(found.begin(), found.end(), wanted) != found.end();
      for (const Bytes& other : found) count.wrong += other != wanted;
      for (const std::size_t k : {8u, 16u, 24u, 32u})
        count.by_k[k] += shared(smallest(sketch, k), smallest(sketches[i], k)) > 0;
    }
    for (auto& [set, count] : counts) {
      const auto percent = [&](std::size_t n) {
        return 100.0 * static_cast<double>(n) / static_cast<double>(count.asked);
      };
      std::printf("%-30s %-10s %6zu %6.1f%% %6.1f%% %9.3f |           %6.1f %6.1f %6.1f %6.1f\n",
                  what.c_str(), set.c_str(), count.asked, percent(count.first),
                  percent(count.found),
                  static_cast<double>(count.wrong) / static_cast<double>(count.asked),
                  percent(count.by_k[8]), percent(count.by_k[16]), percent(count.by_k[24]),
                  percent(count.by_k[32]));
    }
  }
  std::map<std::string, Count> counts;
  for (const Image& stranger : strangers) {
    Count& count = counts[stranger.set];
    ++count.asked;
    count.wrong += store.find_by_sketch(sketch_of(stranger, *builder)).value().size();
  }
  for (const auto& [set, count] : counts)
    std::printf("%-30s %-10s %6zu   false candidates %zu\n", "never sealed", set.c_str(),
                count.asked, count.wrong);

  const Image big = radiograph(2048, 2048, prng);
  double best = 1e9;
  for (int round = 0; round < 20; ++round) {
    const auto start = std::chrono::steady_clock::now();
    static_cast<void>(sketch_of(big, *builder));
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::printf("sketch of 2048 x 2048 x 16 bit: %.2f ms, %.1f GB/s, %.0f ns a tile\n", best * 1e3,
              static_cast<double>(big.samples.size()) / best / 1e9, best * 1e9 / 1024);
  return 0;
}
