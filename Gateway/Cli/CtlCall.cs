using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Gateway.Cli.Output;

namespace Broker.Gateway.Cli;

/// <summary>A command that was given: its arguments, whom to ask and where to show the answer.</summary>
/// <param name="find">The value of an argument or option; null if it was not given.</param>
internal sealed partial class CtlCall(Func<string, string?> find, ApiSession api, IOutput output, CtlConsole console, CancellationToken cancellation)
{
    public ApiSession Api => api;

    public IOutput Output => output;

    public CtlConsole Console => console;

    public CancellationToken Cancellation => cancellation;

    /// <summary>The value of an argument or option.</summary>
    public string? Find(string name) => find(name);

    /// <summary>The value of an argument that has to be there.</summary>
    public string this[string name] => find(name) ?? throw CtlException.Usage($"{name} is missing");

    /// <summary>A number that was given, such as `--limit`.</summary>
    public int? Number(string name) => find(name) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw CtlException.Usage($"{name} must be a number, not {text}");

    /// <summary>A path with its arguments' values in it.</summary>
    public string Expand(string template)
    {
        template = Optional().Replace(template, match => Place().Matches(match.Value).All(place => find(place.Groups[1].Value) is not null) ? match.Groups[1].Value : "");
        var parts = template.Split('?', 2);
        var path = new StringBuilder(Place().Replace(parts[0], match => Segment(this[match.Groups[1].Value])));
        if (parts.Length == 1) return path.ToString();
        var separator = '?';
        foreach (var parameter in parts[1].Split('&'))
        {
            if (Place().Match(parameter) is { Success: true } place && find(place.Groups[1].Value) is null) continue;
            path.Append(separator).Append(Place().Replace(parameter, match => Uri.EscapeDataString(this[match.Groups[1].Value])));
            separator = '&';
        }

        return path.ToString();
    }

    /// <summary>The body of a call; null if it has none.</summary>
    public string? Write(string template) => template.Length == 0 ? null : JsonText.Write(json =>
    {
        json.WriteStartObject();
        foreach (var item in template.Split(' ')) Write(json, item);
        json.WriteEndObject();
    });

    private void Write(Utf8JsonWriter json, string item)
    {
        var kind = item[^1];
        if (kind is '#' or '?') item = item[..^1];
        if (item.Split('=', 2) is [var constant, var text])
        {
            json.WriteString(constant, text);
            return;
        }

        var (member, argument) = item.Split(':', 2) is [var first, var second] ? (first, second) : (item, item);
        if (find(argument) is not { } value) return;
        if (kind == '#') json.WriteNumber(member, Number(argument)!.Value);
        else if (kind == '?') json.WriteBoolean(member, value == "true");
        else json.WriteString(member, value);
    }

    /// <summary>One segment of a path. Those that mean a folder would change which call it is.</summary>
    private static string Segment(string value) => value is "" or "." or ".." ? throw CtlException.Usage($"'{value}' cannot be named in a path") : Uri.EscapeDataString(value);

    [GeneratedRegex(@"\[([^\]]*)\]")]
    private static partial Regex Optional();

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Place();
}
