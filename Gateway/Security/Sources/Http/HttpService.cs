using System.Net;

namespace Broker.Gateway.Security.Sources.Http;

/// <summary>A pool of connections to a web service. Goes where it is told and nowhere else: no redirects, no proxy of the environment, no cookies.</summary>
/// <param name="poolSize">Most connections.</param>
/// <param name="connectTimeout">How long one may take to be made.</param>
internal sealed class HttpService(TlsClientOptions tls, int poolSize, TimeSpan connectTimeout) : IDisposable
{
    private readonly HttpClient client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None, // a small answer stays small
        SslOptions = TlsClient.Make(tls),
        MaxConnectionsPerServer = poolSize,
        ConnectTimeout = connectTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that a changed DNS record is noticed
        MaxResponseHeadersLength = 16, // KiB
    })
    { Timeout = Timeout.InfiniteTimeSpan }; // the caller's token says when

    /// <summary>Asks.</summary>
    /// <param name="longest">Most bytes of the answer's body.</param>
    /// <exception cref="HttpRequestException">There is no answer, or it is too long.</exception>
    public async Task<(HttpStatusCode Status, byte[] Body)> AskAsync(HttpRequestMessage request, int longest, CancellationToken cancellation)
    {
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
        var body = new byte[longest + 1];
        var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellation);
        return length <= longest ? (response.StatusCode, body[..length]) : throw new HttpRequestException("the answer is too long");
    }

    public void Dispose() => client.Dispose();
}
