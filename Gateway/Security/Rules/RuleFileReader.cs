namespace Broker.Gateway.Security.Rules;

/// <summary>Reads rules in the broker's own format, one a line, the first that matches decides:
/// <c>allow user dashboard subscribe $SYS/#</c>, <c>deny all subscribe eq:#</c>, <c>allow all</c>.</summary>
/// <remarks>
/// A line is <c>allow|deny WHO publish|subscribe|pubsub TOPIC…</c>, or <c>allow|deny all</c>. WHO is <c>all</c>, <c>user NAME</c>, <c>client ID</c> or
/// <c>address NETWORK[,NETWORK]…</c>; several of them are joined by <c>and</c> or by <c>or</c>, not by both. Words with blanks, and names that are words of this
/// language, stand in double quotes, in which a backslash goes before a quote or a backslash. A topic is a filter, in which <c>%c</c> and <c>%u</c> are whole levels;
/// behind <c>eq:</c> it is compared as it stands. A line whose first character is <c>#</c> is a comment.
/// </remarks>
internal static class RuleFileReader
{
    /// <summary>Reads a whole file.</summary>
    /// <exception cref="RuleFormatException">A line is no rule.</exception>
    public static RuleSet Read(string text)
    {
        var rules = new List<Rule>();
        foreach (var (i, line) in text.Split('\n').Index())
        {
            var rule = line.TrimEnd('\r').Trim(' ', '\t');
            if (rule.Length == 0 || rule[0] == '#') continue;
            try
            {
                rules.Add(new Line(rule).Read());
            }
            catch (FormatException fault)
            {
                throw new RuleFormatException(i + 1, fault.Message);
            }
        }

        return new RuleSet(rules);
    }

    private sealed class Line(string text)
    {
        private readonly List<(string Text, bool IsQuoted)> words = Split(text);
        private int next;

        public Rule Read()
        {
            var allows = Take("'allow' or 'deny'") switch
            {
                "allow" => true,
                "deny" => false,
                var other => throw new FormatException($"'{other}' where 'allow' or 'deny' was expected"),
            };
            var who = ReadWho();
            if (next == words.Count && who == Who.Everybody) return new Rule(allows, who, RuleAccess.Both, null) { Text = text };
            var access = Take("'publish', 'subscribe' or 'pubsub'") switch
            {
                "publish" => RuleAccess.Publish,
                "subscribe" => RuleAccess.Subscribe,
                "pubsub" => RuleAccess.Both,
                var other => throw new FormatException($"'{other}' where 'publish', 'subscribe' or 'pubsub' was expected"),
            };
            var topics = new List<TopicPattern> { ReadTopic() };
            while (next < words.Count) topics.Add(ReadTopic());
            return new Rule(allows, who, access, topics) { Text = text };
        }

        private IWho ReadWho()
        {
            var parts = new List<IWho> { ReadSubject() };
            string? junction = null;
            while (next < words.Count && words[next] is (("and" or "or") and var word, false))
            {
                if (junction is not null && junction != word) throw new FormatException("'and' and 'or' in one rule: write two rules");
                junction = word;
                next++;
                parts.Add(ReadSubject());
            }

            return junction switch
            {
                "and" => Who.And(parts),
                "or" => Who.Or(parts),
                _ => parts[0],
            };
        }

        private IWho ReadSubject() => Take("'all', 'user', 'client' or 'address'") switch
        {
            "all" => Who.Everybody,
            "user" => Who.User(TakeName("a user name")),
            "client" => Who.Client(TakeName("a client identifier")),
            "address" => Who.Address(
            [
                .. TakeName("an address").Split(',').Select(one =>
                    Who.TryParseNetwork(one, out var network) ? network : throw new FormatException($"'{one}' is no address and no network such as 10.0.0.0/8")),
            ]),
            var other => throw new FormatException($"'{other}' where 'all', 'user', 'client' or 'address' was expected"),
        };

        private TopicPattern ReadTopic()
        {
            var topic = TakeName("a topic");
            return topic.StartsWith("eq:", StringComparison.Ordinal) ? TopicPattern.Exact(topic[3..]) : RuleTopics.Check(topic);
        }

        private string Take(string expected) => next < words.Count
            ? words[next++].Text
            : throw new FormatException($"the line ends where {expected} was expected");

        private string TakeName(string expected) => next < words.Count && words[next] is ("and" or "or" or "publish" or "subscribe" or "pubsub", false)
            ? throw new FormatException($"'{words[next].Text}' where {expected} was expected: put it in quotes if that is one")
            : Take(expected);

        private static List<(string, bool)> Split(string text)
        {
            var words = new List<(string, bool)>();
            var i = 0;
            while (true)
            {
                while (i < text.Length && text[i] is ' ' or '\t') i++;
                if (i == text.Length) return words;
                if (text[i] == '"')
                {
                    words.Add((Quoted(text, ref i), true));
                    continue;
                }

                var start = i;
                while (i < text.Length && text[i] is not (' ' or '\t')) i++;
                words.Add((text[start..i], false));
            }
        }

        private static string Quoted(string text, ref int i)
        {
            var word = new System.Text.StringBuilder();
            for (i++; i < text.Length; i++)
            {
                if (text[i] == '"')
                {
                    i++;
                    return word.ToString();
                }

                if (text[i] == '\\' && i + 1 < text.Length) i++;
                word.Append(text[i]);
            }

            throw new FormatException("a quote is not closed");
        }
    }
}
