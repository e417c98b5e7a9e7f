#include "objstore/xml.h"

#include <gtest/gtest.h>

namespace gauntlet::objstore {
namespace {

TEST(Xml, ReadsElementsTextAndReferences) {
  auto root = ParseXml(
      "\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- c --><s3:List xmlns:s3='u'><Key>a&amp;b&#x20AC;&#65;</Key>"
      "<Empty/><Key ><![CDATA[<x>]]> y</Key ></s3:List>\n");
  ASSERT_TRUE(root.ok()) << root.status().message();
  EXPECT_EQ(root->name, "List");
  ASSERT_EQ(root->children.size(), 3u);
  EXPECT_EQ(root->Text("Key"),
            "a&b\xE2\x82\xAC"
            "A");
  EXPECT_EQ(root->children[2].text, "<x> y");
  EXPECT_NE(root->Child("Empty"), nullptr);
  EXPECT_EQ(root->Child("None"), nullptr);
  EXPECT_EQ(root->Find("Empty"), &root->children[1]);
}

TEST(Xml, EachPrefixOfADocumentIsRefused) {
  std::string text = "<a b=\"1\"><c>x&lt;</c><!-- d --><![CDATA[e]]></a>";
  ASSERT_TRUE(ParseXml(text).ok());
  for (size_t n = 0; n < text.size(); ++n) {
    EXPECT_EQ(ParseXml(text.substr(0, n)).status().code(), Code::kCorrupt) << n;
  }
}

TEST(Xml, RefusesWhatIsNoDocument) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (const std::string& bad :
       {std::string("text"), std::string("<a></b>"), std::string("<a/><b/>"), deep, std::string("<!DOCTYPE a><a/>"),
        std::string("<a>&unknown;</a>"), std::string("<a>&#0;</a>")}) {
    EXPECT_EQ(ParseXml(bad).status().code(), Code::kCorrupt) << bad;
  }
}

}  // namespace
}  // namespace gauntlet::objstore
