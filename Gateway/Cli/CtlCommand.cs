namespace Broker.Gateway.Cli;

/// <summary>A command of `broker ctl`: most are one call of the HTTP API, and one line in a table of <see cref="Commands"/>.</summary>
/// <param name="Usage">Its words, then `&lt;required&gt;`, `[optional]`, `[--option VALUE]` and `[--flag]`. Values that are allowed follow a colon: `&lt;qos:0|1|2&gt;`.</param>
/// <param name="Help">What it does, for people.</param>
internal sealed record CtlCommand(string Usage, string Help)
{
    /// <summary>The HTTP method.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>Below `/api/v4`, or `/v5/…`. `{argument}` is its value; a query parameter, or a part in brackets, is left out with its argument.</summary>
    public string Path { get; init; } = "";

    /// <summary>Members of the JSON body: `member`, `member:argument`, `member=text`; with `#` behind it a number, with `?` a truth value.</summary>
    public string Body { get; init; } = "";

    /// <summary>The members that are shown; without any all that the first row has.</summary>
    public string Columns { get; init; } = "";

    /// <summary>The member of `data` that has the rows.</summary>
    public string Rows { get; init; } = "";

    /// <summary>The answer comes in pages, of which all are read.</summary>
    public bool IsPaged { get; init; }

    /// <summary>An answer that holds nothing means that there is no such thing.</summary>
    public bool IsOne { get; init; }

    /// <summary>What the API answers to dashboard users alone.</summary>
    public bool IsForUsers { get; init; }

    /// <summary>The path needs a node; unless one is named it is done on each.</summary>
    public bool OnEachNode { get; init; }

    /// <summary>Instead of a call.</summary>
    public Func<CtlCall, Task>? Run { get; init; }

    /// <summary>All pages of a list.</summary>
    public static CtlCommand Pages(string usage, string path, string columns, string help) => new($"{usage} [--limit N]", help) { Path = path, Columns = columns, IsPaged = true };

    /// <summary>A list that comes at once.</summary>
    public static CtlCommand List(string usage, string path, string columns, string help) => new(usage, help) { Path = path, Columns = columns };

    /// <summary>One thing, which may not exist.</summary>
    public static CtlCommand Show(string usage, string path, string help) => new(usage, help) { Path = path, IsOne = true };

    public static CtlCommand Post(string usage, string path, string body, string help) => new(usage, help) { Method = "POST", Path = path, Body = body };

    public static CtlCommand Put(string usage, string path, string body, string help) => new(usage, help) { Method = "PUT", Path = path, Body = body };

    public static CtlCommand Delete(string usage, string path, string help) => new(usage, help) { Method = "DELETE", Path = path };

    /// <summary>A command that is more than a call.</summary>
    public static CtlCommand Of(string usage, string help, Func<CtlCall, Task> run) => new(usage, help) { Run = run };
}
