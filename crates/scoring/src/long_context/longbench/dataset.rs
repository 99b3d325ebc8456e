use serde::{Deserialize, Serialize};

/// What compares an answer with a reference. The names are LongBench's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TextMetric {
    /// F1 of words ([`answer_f1`](crate::long_context::overlap::answer_f1)).
    #[serde(rename = "qa_f1_score")]
    AnswerF1,
    /// F1 of Chinese words.
    #[serde(rename = "qa_f1_zh_score")]
    ChineseAnswerF1,
    /// ROUGE-L ([`rouge_l`](crate::long_context::rouge::rouge_l)).
    #[serde(rename = "rouge_score")]
    Rouge,
    /// ROUGE-L of Chinese words.
    #[serde(rename = "rouge_zh_score")]
    ChineseRouge,
    /// The named class
    /// ([`classification_score`](crate::long_context::classification::classification_score)).
    #[serde(rename = "classification_score")]
    Classification,
    /// The named passage ([`retrieval_share`](crate::long_context::retrieval::retrieval_share)).
    #[serde(rename = "retrieval_score")]
    Retrieval,
    /// The named Chinese passage.
    #[serde(rename = "retrieval_zh_score")]
    ChineseRetrieval,
    /// The named number ([`count_share`](crate::long_context::retrieval::count_share)).
    #[serde(rename = "count_score")]
    Count,
    /// The line of code ([`code_similarity`](crate::long_context::code::code_similarity)).
    #[serde(rename = "code_sim_score")]
    Code,
    /// The repeated text ([`recall_score`](crate::long_context::recall::recall_score)).
    #[serde(rename = "mrcr_match_score")]
    Recall,
}

impl TextMetric {
    /// LongBench's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnswerF1 => "qa_f1_score",
            Self::ChineseAnswerF1 => "qa_f1_zh_score",
            Self::Rouge => "rouge_score",
            Self::ChineseRouge => "rouge_zh_score",
            Self::Classification => "classification_score",
            Self::Retrieval => "retrieval_score",
            Self::ChineseRetrieval => "retrieval_zh_score",
            Self::Count => "count_score",
            Self::Code => "code_sim_score",
            Self::Recall => "mrcr_match_score",
        }
    }
}

macro_rules! datasets {
    ($($(#[$note:meta])* $dataset:ident $name:literal $metric:ident,)*) => {
        /// The datasets of LongBench, and the one that the subnet in the field adds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum LongBenchDataset {
            $($(#[$note])* #[serde(rename = $name)] $dataset,)*
        }

        impl LongBenchDataset {
            /// All, in LongBench's order.
            pub const ALL: &[Self] = &[$(Self::$dataset),*];

            /// LongBench's name for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$dataset => $name,)* }
            }

            /// What scores its answers.
            pub const fn metric(self) -> TextMetric {
                match self { $(Self::$dataset => TextMetric::$metric,)* }
            }
        }
    };
}

datasets! {
    /// Questions on stories and scripts.
    NarrativeQa "narrativeqa" AnswerF1,
    /// Questions on scientific papers.
    Qasper "qasper" AnswerF1,
    /// Questions on texts of many fields.
    MultiFieldQaEn "multifieldqa_en" AnswerF1,
    /// The same in Chinese.
    MultiFieldQaZh "multifieldqa_zh" ChineseAnswerF1,
    /// Questions over two Wikipedia articles.
    HotpotQa "hotpotqa" AnswerF1,
    /// Questions over two Wikipedia articles.
    TwoWikiMqa "2wikimqa" AnswerF1,
    /// Questions of two to four steps.
    Musique "musique" AnswerF1,
    /// Chinese questions from a search engine.
    DuReader "dureader" ChineseRouge,
    /// Summaries of reports.
    GovReport "gov_report" Rouge,
    /// Summaries of meetings for a query.
    QmSum "qmsum" Rouge,
    /// Summaries of several news articles.
    MultiNews "multi_news" Rouge,
    /// Summaries of Chinese meetings.
    VcSum "vcsum" ChineseRouge,
    /// Kinds of questions, by example.
    Trec "trec" Classification,
    /// Trivia, by example.
    TriviaQa "triviaqa" AnswerF1,
    /// Summaries of dialogues, by example.
    SamSum "samsum" Rouge,
    /// Kinds of Chinese news, by example.
    Lsht "lsht" Classification,
    /// The passage that a summary is of.
    PassageRetrievalEn "passage_retrieval_en" Retrieval,
    /// How many passages differ.
    PassageCount "passage_count" Count,
    /// The Chinese passage that a summary is of.
    PassageRetrievalZh "passage_retrieval_zh" ChineseRetrieval,
    /// The next line of code.
    Lcc "lcc" Code,
    /// The next line of code, given its repository.
    RepoBenchP "repobench-p" Code,
    /// A text to repeat out of many like it; the subnet's own.
    OpenAiMrcrCode "openai_mrcr_code" Recall,
}

impl LongBenchDataset {
    /// The dataset of LongBench's name.
    ///
    /// ```
    /// use adit_scoring::long_context::longbench::{LongBenchDataset, TextMetric};
    ///
    /// let dataset = LongBenchDataset::from_name("lsht").unwrap();
    /// assert_eq!(dataset.metric(), TextMetric::Classification);
    /// assert!(dataset.takes_first_line());
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|dataset| dataset.name() == name)
    }

    /// Whether only the first line of an answer counts, as what follows continues the examples.
    pub const fn takes_first_line(self) -> bool {
        matches!(
            self,
            Self::Trec | Self::TriviaQa | Self::SamSum | Self::Lsht
        )
    }

    /// The part of an answer that counts: its first line after leading newlines, or all.
    pub fn counted_part(self, prediction: &str) -> &str {
        if !self.takes_first_line() {
            return prediction;
        }
        let text = prediction.trim_start_matches('\n');
        text.split_once('\n').map_or(text, |(line, _)| line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_datasets() {
        for dataset in LongBenchDataset::ALL {
            assert_eq!(LongBenchDataset::from_name(dataset.name()), Some(*dataset));
        }
        assert_eq!(LongBenchDataset::from_name("nq"), None);
        assert_eq!(LongBenchDataset::ALL.len(), 22);
    }

    #[test]
    fn the_first_line_counts_where_examples_precede() {
        assert_eq!(LongBenchDataset::Trec.counted_part("\n\na\nb"), "a");
        assert_eq!(LongBenchDataset::Trec.counted_part("a"), "a");
        assert_eq!(LongBenchDataset::Trec.counted_part("\n"), "");
        assert_eq!(LongBenchDataset::Qasper.counted_part("\na\nb"), "\na\nb");
    }
}
