// SPDX-License-Identifier: Apache-2.0
#include "crypto/ecdsa_der.h"

#include <gtest/gtest.h>

#include "support/support.h"

namespace fiducia::crypto {
namespace {

std::string read_hex(std::string_view der) {
  const auto rs = read_ecdsa_der(test::bytes(der), 4);
  return rs ? to_hex(*rs) : code_word(rs.error());
}

TEST(EcdsaDer, has_one_spelling) {
  EXPECT_EQ(read_hex("3006020101020102"), "0000000100000002");
  EXPECT_EQ(read_hex("300a02030080ff02037fffff"), "000080ff007fffff");
  EXPECT_EQ(read_hex("300e020500ffffffff020500ffffffff"), "ffffffffffffffff");
  EXPECT_EQ(read_hex("3006020100020101"), "0000000000000001");
  for (const char* other : {
           "",                          // nothing
           "30060201010201",            // cut
           "300602010102010200",        // a byte behind it
           "300702010102010200",        // ... in the sequence
           "300702020001020102",        // a padded integer
           "300702010102020002",        // ... the second one
           "308106020101020102",        // a length in more bytes than needed
           "30800201010201020000",      // without a length (BER)
           "30060201ff020102",          // a negative integer
           "3006020101020180",          // ... the second one
           "300a02050100000000020102",  // more bytes than the curve has
           "3106020101020102",          // a set
           "3006030101020102",          // no integer
           "30050200020102",            // an integer without bytes
       })
    EXPECT_EQ(read_hex(other), "crypto.failed") << other;
}

}  // namespace
}  // namespace fiducia::crypto
