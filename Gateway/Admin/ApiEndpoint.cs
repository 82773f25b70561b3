namespace Broker.Gateway.Admin;

/// <summary>One endpoint of the HTTP API.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">Below the base path, as ASP.NET Core writes routes: `/clients/{clientid}`.</param>
/// <param name="Name">EMQ X's name of it.</param>
/// <param name="Description">What it does, for people.</param>
internal sealed record ApiEndpoint(string Method, string Path, string Name, string Description, Func<ApiCall, Task<ApiAnswer>> Handle)
{
    /// <summary>At the end of the name of a member that must be there.</summary>
    public const char Needed = '!';

    /// <summary>Of the API: 4 is EMQ X's, 5 is what it has not.</summary>
    public int Version { get; init; } = 4;

    /// <summary>The parameters of the query string: of a list, what it is to hold.</summary>
    public IReadOnlyCollection<string> Filters { get; init; } = [];

    /// <summary>A list that takes `_page` and `_limit`.</summary>
    public bool IsPaged { get; init; }

    /// <summary>What the body's object may hold, with a `!` what it must; empty is anything, null is no body.</summary>
    public IReadOnlyCollection<string>? Members { get; init; }

    /// <summary>How many of such objects the body is.</summary>
    public BodyKind Body { get; init; }

    /// <summary>Not for applications: served to dashboard users alone.</summary>
    public bool IsForUsers { get; init; }

    /// <summary>The longest body that is taken, in bytes.</summary>
    public long MaxBody { get; init; } = 16 * 1024 * 1024;

    /// <summary>Nobody needs to say who it is.</summary>
    public bool IsOpen { get; init; }

    /// <summary>What applications do all day: <see cref="Audit.AuditOptions.IgnoreFrequent"/>.</summary>
    public bool IsFrequent { get; init; }

    /// <summary>Removes whatever there is: whoever names what to remove by a parameter that is not known here must not lose all.</summary>
    public bool Sweeps { get; init; }

    /// <summary>Changes something: it is written to the audit log.</summary>
    public bool Changes => Method is not "GET";
}

/// <summary>What the body of a call is.</summary>
internal enum BodyKind
{
    One,
    Many,
    OneOrMany,
}

/// <summary>What the HTTP API says of one kind of thing.</summary>
internal interface IApiResource
{
    IEnumerable<ApiEndpoint> Endpoints { get; }
}
