// SPDX-License-Identifier: Apache-2.0
#include <charls/charls.h>
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/oflog/oflog.h>
#include <openjpeg.h>
#include <openjph/ojph_version.h>
#include <stdio.h>  // jpeglib.h needs FILE

#include <jpeglib.h>
#ifdef FIDUCIA_HAVE_JXL
#include <jxl/decode.h>
#endif

#include "decoder.h"

namespace fiducia::decoder {

#define FIDUCIA_TEXT_(x) #x
#define FIDUCIA_TEXT(x) FIDUCIA_TEXT_(x)

std::string decoder_list() {
  std::string list = "libjpeg-turbo " FIDUCIA_TEXT(LIBJPEG_TURBO_VERSION) "\n";
  list += std::string("DCMTK ") + OFFIS_DCMTK_VERSION_STRING + "\n";
  list += std::string("CharLS ") + charls_get_version_string() + "\n";
  list += std::string("OpenJPEG ") + opj_version() + "\n";
  list += "OpenJPH " FIDUCIA_TEXT(OPENJPH_VERSION_MAJOR) "." FIDUCIA_TEXT(
      OPENJPH_VERSION_MINOR) "." FIDUCIA_TEXT(OPENJPH_VERSION_PATCH) "\n";
#ifdef FIDUCIA_HAVE_JXL
  const std::uint32_t version = JxlDecoderVersion();
  list += "libjxl " + std::to_string(version / 1'000'000) + "." +
          std::to_string(version / 1000 % 1000) + "." + std::to_string(version % 1000) + "\n";
#endif
  return list;
}

void prepare() {
  // Its loggers would look for files and the host's name at the first warning.
  OFLog::configure(OFLogger::OFF_LOG_LEVEL);
}

}  // namespace fiducia::decoder
