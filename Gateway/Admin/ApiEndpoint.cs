namespace Broker.Gateway.Admin;

/// <summary>One endpoint of the HTTP API.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">Below the base path, as ASP.NET Core writes routes: `/clients/{clientid}`.</param>
/// <param name="Name">EMQ X's name of it.</param>
/// <param name="Description">What it does, for people.</param>
internal sealed record ApiEndpoint(string Method, string Path, string Name, string Description, Func<ApiCall, Task<ApiAnswer>> Handle)
{
    /// <summary>Of the API: 4 is EMQ X's, 5 is what it has not.</summary>
    public int Version { get; init; } = 4;

    /// <summary>The parameters that say what a list is to hold.</summary>
    public IReadOnlyCollection<string> Filters { get; init; } = [];

    /// <summary>Not for applications: served to dashboard users alone.</summary>
    public bool IsForUsers { get; init; }

    /// <summary>The longest body that is taken, in bytes.</summary>
    public long MaxBody { get; init; } = 16 * 1024 * 1024;

    /// <summary>Nobody needs to say who it is.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Changes something: it is written to the audit log.</summary>
    public bool Changes => Method is not "GET";
}

/// <summary>What the HTTP API says of one kind of thing.</summary>
internal interface IApiResource
{
    IEnumerable<ApiEndpoint> Endpoints { get; }
}
