namespace Broker.Gateway.Security.Sources.Http;

/// <summary>A web service that is asked. Names, parameters and defaults are EMQ X's.</summary>
internal sealed class HttpOptions : SourceOptions
{
    public const string Section = "Security:Http";

    public HttpOptions() => (Tls, PoolSize) = ("verify", 32);

    /// <summary>Whether a client is who it says.</summary>
    public HttpRequestOptions Auth { get; set; } = new("clientid=%c,username=%u,password=%P");

    /// <summary>Whether a client that is who it says is a superuser (status 200).</summary>
    public HttpRequestOptions Super { get; set; } = new("clientid=%c,username=%u");

    /// <summary>Whether a client may publish or subscribe.</summary>
    public HttpRequestOptions Acl { get; set; } = new("access=%A,username=%u,clientid=%c,ipaddr=%a,topic=%t,mountpoint=%m");
}

/// <summary>One request. A client cannot change where it goes: placeholders stand in parameters only.</summary>
/// <param name="parameters">The usual ones.</param>
internal sealed class HttpRequestOptions(string parameters)
{
    /// <summary>`http` or `https`; empty does not ask.</summary>
    public string Url { get; set; } = "";

    /// <summary>`get` puts the parameters into the query, `post` into the body.</summary>
    public string Method { get; set; } = "post";

    /// <summary>Of the body: `application/x-www-form-urlencoded`, or `application/json` for an object of texts.</summary>
    public string ContentType { get; set; } = "application/x-www-form-urlencoded";

    /// <summary>`name=%u, other=text`. Beside the usual placeholders there are the password (`%P`), and for access 1 (subscribe) or 2 (publish) (`%A`) and the topic or filter (`%t`).</summary>
    public string Params { get; set; } = parameters;

    /// <summary>Further headers.</summary>
    public Dictionary<string, string> Headers { get; set; } = [];
}
