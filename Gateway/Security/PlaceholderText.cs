using System.Diagnostics.CodeAnalysis;

namespace Broker.Gateway.Security;

/// <summary>A text with placeholders anywhere in it; `%%` is a percent sign. Read once, expanded for every client.</summary>
internal sealed class PlaceholderText
{
    /// <summary>Literal text, or the letter of a placeholder.</summary>
    private readonly List<(string Literal, char Name)> parts;

    private PlaceholderText(List<(string, char)> parts) => this.parts = parts;

    /// <summary>Reads a text.</summary>
    /// <param name="text">What the operator wrote.</param>
    /// <param name="parsed">Null if a placeholder is not known.</param>
    /// <param name="fault">What is wrong.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out PlaceholderText? parsed, [NotNullWhen(false)] out string? fault)
    {
        (parsed, fault) = (null, null);
        var parts = new List<(string, char)>();
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%') continue;
            var name = i + 1 < text.Length ? text[i + 1] : '\0';
            if (name != '%' && !Placeholders.Known.Contains(name, StringComparison.Ordinal))
            {
                fault = $"'%{name}' in '{text}' is no placeholder: there are %{string.Join(", %", Placeholders.Known.AsEnumerable())}, and %% for a percent sign".Replace("\0", "", StringComparison.Ordinal);
                return false;
            }

            parts.Add((text[start..(name == '%' ? i + 1 : i)], name == '%' ? '\0' : name));
            start = ++i + 1;
        }

        parts.Add((text[start..], '\0'));
        parsed = new PlaceholderText(parts);
        return true;
    }

    /// <summary>The text for a client; null if it lacks something that the text asks for.</summary>
    /// <param name="escape">Makes a client's value safe where it goes.</param>
    public string? Expand(ClientInfo client, Func<string, string>? escape = null)
    {
        var result = new System.Text.StringBuilder();
        foreach (var (literal, name) in parts)
        {
            result.Append(literal);
            if (name == '\0') continue;
            if (Placeholders.Resolve(name, client) is not { } value) return null;
            result.Append(escape is null ? value : escape(value));
        }

        return result.ToString();
    }
}
