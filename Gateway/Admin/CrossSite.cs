using Microsoft.AspNetCore.Http;

namespace Broker.Gateway.Admin;

/// <summary>Tells calls that a foreign page makes a browser send. Scripts and other programs say nothing of the kind, and are not meant.</summary>
internal static class CrossSite
{
    /// <summary>Whether a call comes from a page of another origin.</summary>
    public static bool Comes(HttpRequest request)
    {
        // Browsers say it themselves where they trust the way here; no page can change that.
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is not ("same-origin" or "none");
        if (request.Headers.Origin.ToString() is not { Length: > 0 } origin) return false;
        return !Uri.TryCreate(origin, UriKind.Absolute, out var page) || !page.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
