using System.Globalization;
using System.Text.Json;

namespace Broker.Gateway.Cli;

/// <summary>Whom the command line asks, and who it says it is.</summary>
/// <param name="Url">Where the API is.</param>
/// <param name="Name">An application's id, or a dashboard user's name.</param>
internal sealed record CtlSettings(Uri Url, string Name, string Secret, string? CaCertificate, bool IsInsecure, TimeSpan Timeout)
{
    public const string UsualUrl = "http://127.0.0.1:8081";
    private const int ApplicationPort = 8081, DashboardPort = 18083;

    /// <summary>Takes each setting from the command line, else from the environment, else from the file.</summary>
    /// <param name="option">The value of a global option, such as `app-id`.</param>
    /// <param name="isForUsers">Whether only the dashboard's port answers the command.</param>
    public static CtlSettings Resolve(Func<string, string?> option, Func<string, string?> environment, bool isForUsers)
    {
        var file = ReadFile(environment);
        string? Find(string name) => option(name) ?? environment($"BROKER_{name.Replace('-', '_').ToUpperInvariant()}") ?? file.GetValueOrDefault(name.Replace('-', '_'));

        // An application that is named on the command line wins over a user who is named in the file.
        var isUser = isForUsers || option("user") is not null || (option("app-id") is null && Find("user") is not null);
        var url = ParseUrl(Find("url") ?? UsualUrl);
        if (isUser && option("url") is null && url.Port == ApplicationPort) url = new UriBuilder(url) { Port = DashboardPort }.Uri;
        var (name, secret) = isUser ? (Find("user"), Find("password")) : (Find("app-id"), Find("secret"));
        return new CtlSettings(url, name ?? "admin", secret ?? "public", Find("cacert"), Find("insecure") == "true", ParseTimeout(Find("timeout") ?? "10"));
    }

    private static Uri ParseUrl(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url
        : throw CtlException.Usage($"--url must be http://HOST:PORT or https://HOST:PORT, not {text}");

    private static TimeSpan ParseTimeout(string text) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 86_400
        ? TimeSpan.FromSeconds(seconds) : throw CtlException.Usage($"--timeout must be seconds over 0, not {text}");

    /// <summary>`~/.config/broker/ctl.json`: an object with the options' names, `-` written `_`.</summary>
    private static Dictionary<string, string> ReadFile(Func<string, string?> environment)
    {
        var folder = environment("XDG_CONFIG_HOME") is { Length: > 0 } given ? given : Path.Combine(environment("HOME") ?? "", ".config");
        var path = environment("BROKER_CTL_CONFIG") ?? Path.Combine(folder, "broker", "ctl.json");
        if (!File.Exists(path)) return [];
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.ValueKind switch
            {
                JsonValueKind.True => "true",
                JsonValueKind.False => "false",
                _ => member.Value.ToString(),
            });
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw CtlException.Usage($"{path} cannot be read: {fault.Message}");
        }
    }
}
