namespace Broker.Gateway.Cli;

/// <summary>What is known of an argument by its name, wherever it stands.</summary>
internal static class ArgumentHelp
{
    private static readonly Dictionary<string, string> Texts = new()
    {
        ["limit"] = "show at most so many",
        ["node"] = "only this node",
        ["clientid"] = "client identifier",
        ["username"] = "user name",
        ["like"] = "text that the client identifier holds",
        ["topic"] = "topic name, or filter where filters are meant",
        ["filter"] = "topic filter",
        ["match"] = "topic filter that they match",
        ["qos"] = "quality of service",
        ["state"] = "connected or disconnected",
        ["output"] = "file to write to; - for standard output",
        ["env"] = "JSON members that the imported document gets, such as {\"auth.mnesia.as\":\"username\"}",
        ["until"] = "Unix time in seconds; five minutes from now unless given",
        ["expired"] = "Unix time in seconds",
        ["tags"] = "remark",
        ["old"] = "the present password, unless it is the one of --password",
        ["retain"] = "keep it as the topic's retained message",
        ["base64"] = "the payload is base64",
        ["payload"] = "what to publish; read from standard input if it is -",
        ["key"] = "setting, such as Mqtt:MaxInflight",
        ["start-at"] = "when to begin, RFC 3339",
        ["end-at"] = "when to end, RFC 3339",
    };

    private static readonly Dictionary<string, CompletionSource> Sources = new()
    {
        ["clientid"] = new("/clients?_limit=50&_like_clientid={}", "clientid"),
        ["node"] = new("/nodes", "node"),
        ["module"] = new("/modules", "name"),
        ["plugin"] = new("/plugins", "name"),
        ["identifier"] = new("/listeners", "identifier"),
        ["appid"] = new("/apps", "app_id") { IsForUsers = true },
        ["user"] = new("/users", "username") { IsForUsers = true },
        ["trace"] = new("/trace", "name"),
        ["filename"] = new("/data/export", "filename"),
        ["key"] = new("/v5/configuration", "key") { Rows = "settings" },
        ["alarm"] = new("/alarms/activated", "name"),
    };

    public static string? Of(string argument) => Texts.GetValueOrDefault(argument);

    /// <summary>Where its values can be asked for; null if nowhere.</summary>
    public static CompletionSource? SourceOf(string argument) => Sources.GetValueOrDefault(argument);
}

/// <summary>A call whose answer has the values of an argument.</summary>
/// <param name="Path">`{}` is what has been written of the value.</param>
/// <param name="Member">The member of a row that is the value.</param>
internal sealed record CompletionSource(string Path, string Member)
{
    public string Rows { get; init; } = "";

    public bool IsForUsers { get; init; }
}
