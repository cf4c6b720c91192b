// SPDX-License-Identifier: Apache-2.0
// Makes tests/data/vectors/fiducia/tiny.*: an object sealed once, with keys that are thrown away.
// Run it only when the canonical form gets a new number, into a new folder: the point of these
// files is that they are old.
#include <cstdio>
#include <filesystem>

#include "hospital.h"
#include "support/dicom_builder.h"
#include "trust/trust.h"

namespace {

using namespace fiducia;

/// 70 x 66 pixels, 2 frames, 12 bits in 16: four tiles a frame, three of them cut. One pixel of
/// frame 1 says something above its Bits Stored.
Bytes pixels() {
  Bytes out;
  for (unsigned frame = 0; frame < 2; ++frame)
    for (unsigned y = 0; y < 66; ++y)
      for (unsigned x = 0; x < 70; ++x) {
        const unsigned value = (x * 31 + y * 17 + frame * 1000) % 4096 |
                               (frame == 0 && x == 65 && y == 65 ? 0x9000 : 0);
        out.push_back(static_cast<std::byte>(value & 0xFF));
        out.push_back(static_cast<std::byte>(value >> 8));
      }
  return out;
}

test::DicomDataSet object() {
  test::DicomDataSet item;
  item.text({0x0008, 0x0100}, "SH", "T-D1100")
      .text({0x0008, 0x0102}, "SH", "SRT")
      .text({0x0008, 0x0104}, "LO", "Head");
  test::DicomDataSet inner;
  inner.private_creator(0x0019, 0x10, "ACME").text({0x0019, 0x1001}, "DS", "0.50");
  test::DicomDataSet d;
  d.text({0x0008, 0x0005}, "CS", "ISO_IR 100")
      .text({0x0008, 0x0008}, "CS", "ORIGINAL\\PRIMARY")
      .text({0x0008, 0x0016}, "UI", "1.2.840.10008.5.1.4.1.1.2")
      .text({0x0008, 0x0018}, "UI", "1.2.826.0.1.3680043.10.1.7")
      .text({0x0008, 0x0060}, "CS", "CT")
      .sequence({0x0008, 0x2218}, {item}, test::Lengths::undefined)
      .bytes({0x0010, 0x0010}, "PN", test::bytes("4DFC6C6C65725E4572696B61"))
      .text({0x0010, 0x0030}, "DA", "")
      .text({0x0018, 0x0050}, "DS", "1.50")
      .private_creator(0x0019, 0x10, "ACME")
      .text({0x0019, 0x1001}, "LO", "private")
      .sequence({0x0019, 0x1002}, {inner})
      .us({0x0028, 0x0002}, 1)
      .text({0x0028, 0x0004}, "CS", "MONOCHROME2")
      .text({0x0028, 0x0008}, "IS", "2")
      .us({0x0028, 0x0010}, 66)
      .us({0x0028, 0x0011}, 70)
      .us({0x0028, 0x0100}, 16)
      .us({0x0028, 0x0101}, 12)
      .us({0x0028, 0x0102}, 11)
      .us({0x0028, 0x0103}, 0)
      .text({0x0028, 0x1052}, "DS", "-1024")
      .text({0x0028, 0x1053}, "DS", "1")
      .bytes({0x7FE0, 0x0010}, "OW", pixels());
  return d;
}

bool write(const std::filesystem::path& path, ByteView bytes) {
  const auto status = durable_write(path, bytes);
  if (!status) std::fprintf(stderr, "%s\n", to_sentence(status.error()).c_str());
  return status.has_value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_tiny FOLDER\n");
    return 1;
  }
  const std::filesystem::path folder = argv[1];
  test::Hospital hospital("Example Hospital");
  const Bytes file = object().file("1.2.840.10008.1.2.1");
  const Bytes evidence = hospital.seal(test::read_dicom(file));
  const std::string trust = trust::write_trust(hospital.trust());
  return write(folder / "tiny.dcm", file) && write(folder / "tiny.evidence", evidence) &&
                 write(folder / "tiny-implicit.dcm", object().file("1.2.840.10008.1.2")) &&
                 write(folder / "tiny-big-endian.dcm", object().file("1.2.840.10008.1.2.2")) &&
                 write(folder / "tiny-deflated.dcm", object().file("1.2.840.10008.1.2.1.99")) &&
                 write(folder / "tiny.trust.toml", as_bytes(trust))
             ? 0
             : 1;
}
