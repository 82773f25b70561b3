using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Broker.Gateway.Security.Rules;

/// <summary>A name without quotes, or in single ones.</summary>
internal sealed record ErlangAtom(string Name)
{
    public override string ToString() => Name;
}

/// <summary>Terms in braces.</summary>
internal sealed record ErlangTuple(List<object> Parts)
{
    public override string ToString() => $"{{{string.Join(", ", Parts.Select(ErlangTerms.Show))}}}";
}

/// <summary>Reads Erlang terms that end with a dot: atoms, strings (as text), binaries of text, lists and tuples.</summary>
internal sealed class ErlangTerms(string text)
{
    private const int DeepestNesting = 100;
    private int at;
    private int line = 1;
    private int depth;

    /// <summary>A term as it is written.</summary>
    public static string Show(object term) => term switch
    {
        string one => $"\"{one}\"",
        List<object> list => $"[{string.Join(", ", list.Select(Show))}]",
        _ => term.ToString()!,
    };

    /// <summary>Reads the next term and its dot.</summary>
    /// <param name="term">An atom, a tuple, a <see cref="string"/> or a list.</param>
    /// <param name="startLine">Where it begins, from 1.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="RuleFormatException">It is none of those.</exception>
    public bool TryReadTerm([NotNullWhen(true)] out object? term, out int startLine)
    {
        term = null;
        SkipBlanks();
        startLine = line;
        if (at == text.Length) return false;
        term = ReadTerm();
        Expect(".");
        return true;
    }

    private object ReadTerm()
    {
        SkipBlanks();
        if (++depth > DeepestNesting) throw Fault("terms are nested too deep");
        object term = Peek switch
        {
            '{' => new ErlangTuple(ReadList('{', '}')),
            '[' => ReadList('[', ']'),
            '"' => ReadQuoted('"'),
            '\'' => new ErlangAtom(ReadQuoted('\'')),
            '<' => ReadBinary(),
            >= 'a' and <= 'z' => ReadAtom(),
            '\0' => throw Fault("the file ends within a term"),
            var other => throw Fault($"'{other}' where a term was expected"),
        };
        depth--;
        return term;
    }

    private List<object> ReadList(char open, char close)
    {
        Expect(open.ToString());
        var parts = new List<object>();
        SkipBlanks();
        while (Peek != close)
        {
            if (parts.Count > 0) Expect(",");
            parts.Add(ReadTerm());
            SkipBlanks();
        }

        at++;
        return parts;
    }

    private string ReadBinary()
    {
        Expect("<<");
        SkipBlanks();
        var value = ReadQuoted('"');
        Expect(">>");
        return value;
    }

    private ErlangAtom ReadAtom()
    {
        var start = at;
        while (char.IsAsciiLetterOrDigit(Peek) || Peek is '_' or '@') at++;
        return new ErlangAtom(text[start..at]);
    }

    private string ReadQuoted(char quote)
    {
        if (Peek != quote) throw Fault($"'{Peek}' where {quote} was expected");
        var value = new StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] == quote)
            {
                at++;
                return value.ToString();
            }

            if (text[at] == '\n') line++;
            if (text[at] == '\\' && at + 1 < text.Length) at++;
            value.Append(text[at]);
        }

        throw Fault($"the file ends within {quote}");
    }

    private void Expect(string token)
    {
        SkipBlanks();
        if (string.CompareOrdinal(text, at, token, 0, token.Length) != 0) throw Fault(at == text.Length ? $"the file ends where '{token}' was expected" : $"'{Peek}' where '{token}' was expected");
        at += token.Length;
    }

    private void SkipBlanks()
    {
        for (; at < text.Length; at++)
        {
            if (text[at] == '\n') line++;
            else if (text[at] == '%') at = Math.Max(at, (text.IndexOf('\n', at) is >= 0 and var end ? end : text.Length) - 1);
            else if (!char.IsWhiteSpace(text[at])) return;
        }
    }

    private char Peek => at < text.Length ? text[at] : '\0';

    private RuleFormatException Fault(string reason) => new(line, reason);
}
