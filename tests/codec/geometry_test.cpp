// SPDX-License-Identifier: Apache-2.0
#include "codec/geometry.h"

#include <gtest/gtest.h>

#include <functional>

#include "image_file.h"

namespace fiducia::codec {
namespace {

using test::ImageFile;

TEST(Geometry, is_what_the_image_pixel_module_says) {
  const ImageFile image{.rows = 3,
                        .columns = 5,
                        .samples = 3,
                        .bits_allocated = 8,
                        .bits_stored = 8,
                        .high_bit = 7,
                        .planar_configuration = 1,
                        .photometric = "RGB",
                        .frames = "2",
                        .value = Bytes(90)};
  const auto file = image.file();
  const auto geometry = read_geometry(file.data_set());
  ASSERT_TRUE(geometry && *geometry);
  const Geometry expected{.frames = 2,
                          .rows = 3,
                          .columns = 5,
                          .samples_per_pixel = 3,
                          .bits_allocated = 8,
                          .bits_stored = 8,
                          .high_bit = 7,
                          .kind = SampleKind::unsigned_integer,
                          .planar_configuration = 1,
                          .photometric_interpretation = "RGB"};
  EXPECT_EQ(**geometry, expected);
  EXPECT_EQ((*geometry)->frame_bytes(), 45U);
  EXPECT_EQ((*geometry)->native_frame_bits(), 360U);
}

TEST(Geometry, is_absent_without_pixel_data) {
  ImageFile image;
  image.left_out = {dicom::tags::pixel_data};
  const auto file = image.file();
  const auto geometry = read_geometry(file.data_set());
  ASSERT_TRUE(geometry.has_value());
  EXPECT_FALSE(geometry->has_value());
}

TEST(Geometry, refuses_what_cannot_be) {
  struct Row {
    const char* name;
    std::function<void(ImageFile&)> change;
    ErrorCode expected;
  };
  const auto leave_out = [](dicom::Tag tag) { return [tag](ImageFile& f) { f.left_out = {tag}; }; };
  for (const Row& row : {
           Row{"nothing wrong", [](ImageFile&) {}, ErrorCode::internal},
           Row{"no Rows", leave_out(dicom::tags::rows), ErrorCode::malformed},
           Row{"no Columns", leave_out(dicom::tags::columns), ErrorCode::malformed},
           Row{"no Samples", leave_out(dicom::tags::samples_per_pixel), ErrorCode::malformed},
           Row{"no Bits Allocated", leave_out(dicom::tags::bits_allocated), ErrorCode::malformed},
           Row{"no Bits Stored", leave_out(dicom::tags::bits_stored), ErrorCode::malformed},
           Row{"no High Bit", leave_out(dicom::tags::high_bit), ErrorCode::malformed},
           Row{"no Pixel Representation", leave_out(dicom::tags::pixel_representation),
               ErrorCode::malformed},
           Row{"zero rows", [](ImageFile& f) { f.rows = 0; }, ErrorCode::malformed},
           Row{"zero columns", [](ImageFile& f) { f.columns = 0; }, ErrorCode::malformed},
           Row{"zero samples", [](ImageFile& f) { f.samples = 0; }, ErrorCode::malformed},
           Row{"five samples", [](ImageFile& f) { f.samples = 5; }, ErrorCode::malformed},
           Row{"12 bits allocated",
               [](ImageFile& f) {
                 f.bits_allocated = 12;
                 f.bits_stored = 12;
                 f.high_bit = 11;
               },
               ErrorCode::unsupported},
           Row{"more stored than allocated", [](ImageFile& f) { f.bits_stored = 17; },
               ErrorCode::malformed},
           Row{"zero stored", [](ImageFile& f) { f.bits_stored = 0; }, ErrorCode::malformed},
           Row{"high bit too high", [](ImageFile& f) { f.high_bit = 16; }, ErrorCode::malformed},
           Row{"high bit below the stored", [](ImageFile& f) { f.high_bit = 14; },
               ErrorCode::malformed},
           Row{"odd representation", [](ImageFile& f) { f.pixel_representation = 2; },
               ErrorCode::malformed},
           Row{"odd planar configuration",
               [](ImageFile& f) {
                 f.samples = 3;
                 f.planar_configuration = 2;
               },
               ErrorCode::malformed},
           Row{"no frames", [](ImageFile& f) { f.frames = "0"; }, ErrorCode::malformed},
           Row{"negative frames", [](ImageFile& f) { f.frames = "-1"; }, ErrorCode::malformed},
           Row{"frames in words", [](ImageFile& f) { f.frames = "1A"; }, ErrorCode::malformed},
           Row{"too many frames", [](ImageFile& f) { f.frames = "1000001"; },
               ErrorCode::over_limit},
           Row{"frames past 64 bits", [](ImageFile& f) { f.frames = "99999999999999999999999"; },
               ErrorCode::over_limit},
           Row{"a frame past the limit",
               [](ImageFile& f) {
                 f.rows = 65535;
                 f.columns = 65535;
               },
               ErrorCode::over_limit},
       }) {
    SCOPED_TRACE(row.name);
    ImageFile image{.value = Bytes(2)};
    row.change(image);
    const auto file = image.file();
    const auto geometry = read_geometry(file.data_set());
    if (row.expected == ErrorCode::internal) {
      EXPECT_TRUE(geometry.has_value());
      continue;
    }
    ASSERT_FALSE(geometry.has_value());
    EXPECT_EQ(geometry.error().code, row.expected) << to_sentence(geometry.error());
    if (row.expected == ErrorCode::malformed) {
      EXPECT_EQ(geometry.error().kind, "image_pixel");
    }
  }
}

TEST(Geometry, of_float_pixel_data_needs_no_bits_stored) {
  ImageFile image{.bits_allocated = 32,
                  .vr = dicom::vr::of,
                  .pixel_tag = dicom::tags::float_pixel_data,
                  .value = Bytes(4)};
  image.left_out = {dicom::tags::bits_stored, dicom::tags::high_bit,
                    dicom::tags::pixel_representation};
  const auto file = image.file();
  const auto geometry = read_geometry(file.data_set());
  ASSERT_TRUE(geometry && *geometry);
  EXPECT_EQ((*geometry)->kind, SampleKind::floating);
  EXPECT_EQ((*geometry)->bits_stored, 32);
  image.bits_allocated = 16;
  const auto wrong = image.file();
  EXPECT_FALSE(read_geometry(wrong.data_set()).has_value());
}

TEST(Geometry, containers_are_the_smallest_that_hold_bits_allocated) {
  const std::pair<std::uint16_t, std::uint32_t> rows[] = {{1, 1},  {8, 1},  {16, 2},
                                                          {24, 4}, {32, 4}, {64, 8}};
  for (const auto& [bits, bytes] : rows) {
    Geometry geometry;
    geometry.bits_allocated = bits;
    EXPECT_EQ(geometry.sample_bytes(), bytes) << bits;
  }
}

}  // namespace
}  // namespace fiducia::codec
