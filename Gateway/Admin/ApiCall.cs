using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Broker.Gateway.Admin;

/// <summary>Which page of a list is wanted.</summary>
/// <param name="Page">From 1.</param>
/// <param name="Limit">How many on a page.</param>
internal readonly record struct Paging(long Page, int Limit)
{
    public const int MaxLimit = 10_000;

    /// <summary>As much as one answer may hold.</summary>
    public static Paging Whole { get; } = new(1, MaxLimit);

    public long Skip => (Page - 1) * Limit;
}

/// <summary>A call of the HTTP API: its path, its parameters, its body.</summary>
internal sealed class ApiCall(HttpContext context, ApiEndpoint endpoint, JsonElement? body)
{
    /// <summary>The members of a JSON object, an array of objects, or null without a body.</summary>
    public JsonElement? Body => body;

    public HttpContext Http => context;

    /// <summary>Who calls.</summary>
    public string User { get; init; } = "";

    /// <summary>A variable of the path, without its percent encoding.</summary>
    /// <remarks>From the path as it came: the server's own decoding leaves `%2F` and takes the rest, so that nothing could be told of a `%` afterwards.</remarks>
    public string Path(string name)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0].Split('/', StringSplitOptions.RemoveEmptyEntries);
        var pattern = endpoint.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return Uri.UnescapeDataString(raw[raw.Length - pattern.Length + Array.IndexOf(pattern, $"{{{name}}}")]);
    }

    /// <summary>A parameter: of the query string, or else of the body.</summary>
    public string? Find(string name)
    {
        if (context.Request.Query.TryGetValue(name, out var values)) return values.ToString();
        return body?.Text(name);
    }

    /// <summary>Whether a parameter is there, be it null.</summary>
    public bool Says(string name) => context.Request.Query.ContainsKey(name) || (body is { ValueKind: JsonValueKind.Object } members && members.TryGetProperty(name, out _));

    /// <summary>The first parameter that is none of the endpoint's; null if there is none.</summary>
    public string? FindUnknown()
    {
        var names = context.Request.Query.Keys.Concat(body switch
        {
            { ValueKind: JsonValueKind.Object } members => members.EnumerateObject().Select(member => member.Name),
            { ValueKind: not JsonValueKind.Null } => ["body"],
            _ => [],
        });
        return names.FirstOrDefault(name => !endpoint.Filters.Contains(name));
    }

    /// <summary>A parameter that must be text; null if it is something else.</summary>
    public string? FindText(string name) => context.Request.Query.ContainsKey(name) ? Find(name) : body?.OnlyText(name);

    /// <summary>The parameters of the query string that say what a list is to hold.</summary>
    public KeyValuePair<string, string>[] Filters(IReadOnlySet<string> known) =>
        [.. context.Request.Query.Where(one => known.Contains(one.Key)).Select(one => KeyValuePair.Create(one.Key, one.Value.ToString()))];

    /// <exception cref="ApiException">A parameter is no number, or not a positive one.</exception>
    public Paging Paging(int limit = Admin.Paging.MaxLimit) => new(Number("_page", 1, long.MaxValue / Admin.Paging.MaxLimit), (int)Number("_limit", limit, Admin.Paging.MaxLimit));

    private long Number(string name, long usual, long most)
    {
        if (Find(name) is not { } text) return usual;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1) throw new ApiException(ResultCode.BadParameter, $"{name} must be a positive number");
        return Math.Min(number, most);
    }
}

/// <summary>A call that cannot be done; the caller is told.</summary>
internal sealed class ApiException(ResultCode code, string message) : Exception(message)
{
    public ResultCode Code => code;
}
