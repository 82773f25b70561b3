using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Broker.Silo.Health;

/// <summary>What keeps strangers and browsers from misusing the admin ports.</summary>
internal static class HttpDefence
{
    private const int MaxBody = 16 * 1024 * 1024;

    /// <summary>Bytes a second that a body must come with, after five seconds of grace: who sends less holds a connection for nothing.</summary>
    private const double LeastRate = 240;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Bounds what one connection may send, and how slowly.</summary>
    public static void Limit(KestrelServerLimits limits, AdminOptions options)
    {
        limits.MaxRequestBodySize = MaxBody;
        limits.MaxRequestHeadersTotalSize = 32 * 1024;
        limits.MaxRequestHeaderCount = 100;
        limits.MaxRequestLineSize = 16 * 1024; // filters with long topics are in it
        limits.RequestHeadersTimeout = options.HeaderTimeout;
        limits.KeepAliveTimeout = options.IdleTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(LeastRate, Grace);
        limits.MinResponseDataRate = new MinDataRate(LeastRate, Grace);
    }

    /// <summary>Closes connections above a number at once. Each port counts for itself: a crowd at one leaves the other.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> Bound(int most)
    {
        var open = 0;
        return next => async connection =>
        {
            try
            {
                if (Interlocked.Increment(ref open) <= most) await next(connection);
                else connection.Abort();
            }
            finally
            {
                Interlocked.Decrement(ref open);
            }
        };
    }

    /// <summary>No page may show ours in a frame, no browser guess what an answer is, nobody keep what the API says. Who answers may say otherwise.</summary>
    public static Task AddHeaders(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.ContentSecurityPolicy = "frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        if (context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase)) headers.CacheControl = "no-store";
        return next(context);
    }
}
