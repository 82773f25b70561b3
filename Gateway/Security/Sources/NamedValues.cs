using System.Diagnostics.CodeAnalysis;

namespace Broker.Gateway.Security.Sources;

/// <summary>`name=value, other=%u`: names with texts or placeholders, of which each is a whole value.</summary>
internal sealed class NamedValues
{
    /// <summary>The letter is 0 where there is none.</summary>
    private readonly List<(string Name, string Literal, char Letter)> pairs;

    private NamedValues(List<(string, string, char)> pairs) => this.pairs = pairs;

    /// <summary>Reads a list; an empty text is an empty one.</summary>
    /// <param name="letters">The placeholders that may stand in it.</param>
    /// <param name="fault">What is wrong with it.</param>
    public static bool TryParse(string text, string letters, [NotNullWhen(true)] out NamedValues? values, [NotNullWhen(false)] out string? fault)
    {
        (values, fault) = (null, null);
        var pairs = new List<(string, string, char)>();
        foreach (var pair in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                fault = $"'{pair}' is no name=value";
                return false;
            }

            var (name, value) = (pair[..equals].TrimEnd(), pair[(equals + 1)..].TrimStart());
            var letter = value is ['%', var one] ? one : '\0';
            if (letter == '\0' ? value.Contains('%', StringComparison.Ordinal) : !letters.Contains(letter, StringComparison.Ordinal))
            {
                fault = $"'{value}' is no placeholder: there are %{string.Join(", %", letters.AsEnumerable())}, each as a whole value";
                return false;
            }

            pairs.Add((name, value, letter));
        }

        values = new NamedValues(pairs);
        return true;
    }

    /// <summary>Reads a list that has been validated.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static NamedValues Parse(string text, string letters) => TryParse(text, letters, out var values, out var fault) ? values : throw new FormatException(fault);

    /// <summary>Names and values, in their order.</summary>
    /// <param name="resolve">The value of a placeholder; null if there is none.</param>
    public IEnumerable<(string Name, string? Value)> Fill(Func<char, string?> resolve) =>
        pairs.Select(pair => (pair.Name, pair.Letter == '\0' ? pair.Literal : resolve(pair.Letter)));
}
