using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>What `/metrics` of a broker shows at one moment, read as Prometheus reads it.</summary>
internal sealed partial class Scrape
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly Dictionary<string, double> samples = [];

    private Scrape(string text)
    {
        Text = text;
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] == '#') continue;
            var match = Sample().Match(line);
            Assert.True(match.Success, $"No sample: {line}");
            samples.Add(match.Groups["series"].Value.Replace("{}", "", StringComparison.Ordinal), Number(match.Groups["value"].Value));
        }
    }

    public string Text { get; }

    /// <summary>The names of all samples.</summary>
    public IEnumerable<string> Names => samples.Keys.Select(series => series.Split('{')[0]).Distinct();

    /// <summary>The value of a sample, whose tags stand behind its name as they are shown; 0 if it is not there.</summary>
    public double this[string series] => samples.GetValueOrDefault(series);

    public static async Task<Scrape> OfAsync(BrokerHost broker) => await OfAsync(broker.Services.GetRequiredService<AdminServer>().Port);

    public static async Task<Scrape> OfAsync(int port)
    {
        var (status, _, text) = await GetAsync(port);
        Assert.Equal(HttpStatusCode.OK, status);
        return new Scrape(text);
    }

    public static async Task<(HttpStatusCode Status, string? Type, string Text)> GetAsync(int port, string? accept = null, AuthenticationHeaderValue? secret = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/metrics");
        if (accept is not null) request.Headers.Accept.ParseAdd(accept);
        request.Headers.Authorization = secret;
        using var response = await Http.SendAsync(request);
        return (response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Scrapes until it shows something: what was shown just now is shown again for a moment.</summary>
    public static async Task<Scrape> UntilAsync(BrokerHost broker, Func<Scrape, bool> shows, string what)
    {
        Scrape last = null!;
        await Wait.UntilAsync(async () => shows(last = await OfAsync(broker)), what);
        return last;
    }

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex("""^(?<series>[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*\})?) (?<value>\S+)( \d+)?$""")]
    private static partial Regex Sample();
}
