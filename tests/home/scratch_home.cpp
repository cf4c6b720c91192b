// SPDX-License-Identifier: Apache-2.0
#include "home/scratch_home.h"

#include <gtest/gtest.h>

#include "support/dicom_builder.h"

namespace fiducia::test {

ScratchHome::ScratchHome() {
  const Status made = fiducia::home::create_home(home(), "Test Hospital", "CT-1", system_now());
  EXPECT_TRUE(made.has_value()) << (made ? "" : to_sentence(made.error()));
}

std::filesystem::path ScratchHome::write_image(const std::string& file, const std::string& uid,
                                               unsigned seed, const std::string& patient) const {
  constexpr std::uint16_t rows = 70, columns = 80;
  std::mt19937_64 prng{seed};
  DicomDataSet d;
  d.text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.2")
      .text({0x0008, 0x0018}, "UI", uid)
      .text({0x0008, 0x0060}, "CS", "CT")
      .text({0x0010, 0x0010}, "PN", patient)
      .us({0x0028, 0x0002}, 1)
      .text({0x0028, 0x0004}, "CS", "MONOCHROME2")
      .us({0x0028, 0x0010}, rows)
      .us({0x0028, 0x0011}, columns)
      .us({0x0028, 0x0100}, 16)
      .us({0x0028, 0x0101}, 16)
      .us({0x0028, 0x0102}, 15)
      .us({0x0028, 0x0103}, 0)
      .bytes({0x7FE0, 0x0010}, "OW", random_bytes(prng, std::size_t{rows} * columns * 2));
  const auto target = path(file);
  std::filesystem::create_directories(target.parent_path());
  const Status written = durable_write(target, d.file("1.2.840.10008.1.2.1"));
  EXPECT_TRUE(written.has_value());
  return target;
}

std::string content(const std::filesystem::path& path) {
  const auto bytes = read_file(path, 1 << 24);
  EXPECT_TRUE(bytes.has_value()) << path;
  return bytes ? std::string{as_text(*bytes)} : std::string{};
}

}  // namespace fiducia::test
