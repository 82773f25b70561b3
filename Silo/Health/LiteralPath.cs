using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Broker.Silo.Health;

/// <summary>Keeps the segments `.` and `..` of a path, however they are written. The server takes them for steps, but here they are names, as clients and topics have them:
/// who takes out one that is called so must not reach the list above it.</summary>
internal static class LiteralPath
{
    /// <summary>Stands before routing. A path without such segments stays as the server has read it.</summary>
    public static Task KeepAsync(HttpContext context, RequestDelegate next)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (raw.StartsWith('/') && (raw.Contains("/.", StringComparison.Ordinal) || raw.Contains("/%2e", StringComparison.OrdinalIgnoreCase)))
        {
            var segments = raw.Split('?', 2)[0].Split('/');
            if (segments.Any(IsStep)) context.Request.Path = new PathString(string.Join('/', segments.Select(Decode)));
        }

        return next(context);
    }

    private static bool IsStep(string segment) => segment.Length <= "%2e%2e".Length && Uri.UnescapeDataString(segment) is "." or "..";

    /// <summary>As the server does it: without percent encoding, but for the one character that would make two segments of one.</summary>
    private static string Decode(string segment) => Uri.UnescapeDataString(segment).Replace("/", "%2F", StringComparison.Ordinal);
}
