using System.Net.Http.Json;

namespace Broker.Gateway.Security.Sources.Http;

/// <summary>An operator's request, to be filled in for each client.</summary>
internal sealed class RequestTemplate(HttpRequestOptions options, string letters)
{
    /// <summary>The placeholders of requests about clients, and about what they may do.</summary>
    public const string AuthLetters = Placeholders.Known + "P", AclLetters = Placeholders.Known + "At";

    private const string Form = "application/x-www-form-urlencoded";
    private const string Json = "application/json";

    private readonly Uri url = new(options.Url);
    private readonly bool isGet = options.Method.Equals("get", StringComparison.OrdinalIgnoreCase);
    private readonly bool isJson = options.ContentType == Json;
    private readonly NamedValues parameters = NamedValues.Parse(options.Params, letters);

    /// <summary>What is wrong with settings, each with its key.</summary>
    public static IEnumerable<(string Key, string Fault)> Faults(string key, HttpRequestOptions options, string letters)
    {
        if (options.Url.Length == 0) yield break;
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) yield return ($"{key}:Url", $" = '{options.Url}' is no http or https address");
        if (options.Method.ToUpperInvariant() is not ("GET" or "POST")) yield return ($"{key}:Method", $" = '{options.Method}' is neither get nor post");
        if (options.ContentType is not (Form or Json)) yield return ($"{key}:ContentType", $" = '{options.ContentType}' is neither {Form} nor {Json}");
        if (!NamedValues.TryParse(options.Params, letters, out _, out var fault)) yield return ($"{key}:Params", $": {fault}");
        using var request = new HttpRequestMessage();
        foreach (var (name, value) in options.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value)) yield return ($"{key}:Headers:{name}", " is no header of a request");
        }
    }

    /// <summary>The parameters' values; one that the client has not is empty.</summary>
    public KeyValuePair<string, string>[] Fill(Func<char, string?> resolve) => [.. parameters.Fill(resolve).Select(one => KeyValuePair.Create(one.Name, one.Value ?? ""))];

    /// <summary>The request with these parameters.</summary>
    public HttpRequestMessage Make(KeyValuePair<string, string>[] values)
    {
        var request = new HttpRequestMessage(isGet ? HttpMethod.Get : HttpMethod.Post, isGet ? WithQuery(values) : url);
        if (!isGet) request.Content = isJson ? JsonContent.Create(new Dictionary<string, string>(values)) : new FormUrlEncodedContent(values);
        foreach (var (name, value) in options.Headers) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private Uri WithQuery(KeyValuePair<string, string>[] values)
    {
        var query = string.Join('&', values.Select(one => $"{Uri.EscapeDataString(one.Key)}={Uri.EscapeDataString(one.Value)}"));
        return new UriBuilder(url) { Query = url.Query.Length > 1 ? $"{url.Query[1..]}&{query}" : query }.Uri;
    }
}
