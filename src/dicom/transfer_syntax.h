// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

#include "core/core.h"

namespace fiducia::dicom {

enum class PixelEncoding {
  native,
  encapsulated_native,  // 1.2.840.10008.1.2.1.98
  deflated_frame,       // 1.2.840.10008.1.2.8.1
  rle,
  jpeg_baseline,
  jpeg_extended,
  jpeg_lossless,  // processes 14 and 14 SV1
  jpeg_other,     // retired JPEG processes
  jpeg_ls,
  jpeg_2000,
  htj2k,
  jpeg_xl,
  video,
  referenced,  // JPIP
  unknown,
};
enum class Loss { none, lossy, either };  // what the UID alone says

/// A transfer syntax (PS3.5 section 10, PS3.6 Annex A).
struct TransferSyntax {
  std::string_view uid;
  std::string_view name;  // as PS3.6 prints it
  bool explicit_vr = true;
  bool big_endian = false;
  bool deflated = false;      // the whole data set
  bool encapsulated = false;  // Pixel Data is in fragments
  PixelEncoding encoding = PixelEncoding::native;
  Loss loss = Loss::none;
};
/// Absent for an unknown UID. The table outlives everything.
[[nodiscard]] const TransferSyntax* find_transfer_syntax(std::string_view uid);

namespace uids {
inline constexpr std::string_view implicit_vr_little_endian = "1.2.840.10008.1.2";
inline constexpr std::string_view explicit_vr_little_endian = "1.2.840.10008.1.2.1";
inline constexpr std::string_view deflated_explicit_vr_little_endian = "1.2.840.10008.1.2.1.99";
inline constexpr std::string_view explicit_vr_big_endian = "1.2.840.10008.1.2.2";
}  // namespace uids

}  // namespace fiducia::dicom
