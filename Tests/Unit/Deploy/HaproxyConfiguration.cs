using System.Globalization;
using System.Text.RegularExpressions;

namespace Broker.Tests.Unit.Deploy;

/// <summary>A haproxy.cfg as sections of lines, and what is wrong with it.</summary>
/// <param name="Sections">Name with argument, as in `backend nodes`, and the lines of each.</param>
internal sealed partial record HaproxyConfiguration(IReadOnlyList<(string Name, List<string> Lines)> Sections)
{
    private static readonly HashSet<string> SectionWords = ["global", "defaults", "frontend", "backend", "listen", "resolvers"];

    /// <summary>One and a half times the longest keep alive there is.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(65_535 * 1.5);

    public IEnumerable<(string Host, int Port)> Servers => Lines("backend").Select(line => ServerLine().Match(line)).Where(match => match.Success)
        .Select(match => (match.Groups[1].Value, int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)));

    /// <summary>How long it takes until an unready node gets no new clients.</summary>
    public TimeSpan Notices
    {
        get
        {
            var check = CheckLine().Match(DefaultServer);
            return check.Success ? Time(check.Groups[2].Value) * int.Parse(check.Groups[3].Value, CultureInfo.InvariantCulture) : TimeSpan.MaxValue;
        }
    }

    private string DefaultServer => Lines("backend").FirstOrDefault(line => line.StartsWith("default-server", StringComparison.Ordinal)) ?? "";

    /// <exception cref="FormatException">A line stands before every section.</exception>
    public static HaproxyConfiguration Parse(string text)
    {
        var sections = new List<(string Name, List<string> Lines)>();
        foreach (var line in text.Split('\n').Select(line => line.Split('#')[0].Trim()).Where(line => line.Length > 0))
        {
            if (SectionWords.Contains(line.Split(' ')[0])) sections.Add((line, []));
            else if (sections.Count == 0) throw new FormatException($"'{line}' stands in no section.");
            else sections[^1].Lines.Add(line);
        }

        return new HaproxyConfiguration(sections);
    }

    /// <param name="mqttPort">Where nodes listen.</param>
    /// <param name="adminPort">Where nodes tell whether they are ready.</param>
    /// <param name="drainDelay">How long an unready node goes on serving.</param>
    public IEnumerable<string> Faults(int mqttPort, int adminPort, TimeSpan drainDelay)
    {
        var backends = Lines("frontend").Select(line => line.Split(' ')).Where(words => words[0] == "default_backend").Select(words => words[1]).ToArray();
        foreach (var backend in backends.Where(backend => Sections.All(section => section.Name != $"backend {backend}")))
            yield return $"backend {backend} is not there";
        if (backends.Length == 0) yield return "the frontend has no backend";
        if (!Servers.Any()) yield return "there is no server";
        foreach (var (host, port) in Servers.Where(server => server.Port != mqttPort)) yield return $"{host} listens on {port}, not on {mqttPort}";
        if (CheckLine().Match(DefaultServer).Groups[1].Value != $"{adminPort}") yield return $"servers are not checked on port {adminPort}";
        if (!Lines("backend").Any(line => line.Contains("/health/ready", StringComparison.Ordinal))) yield return "/health/ready is not asked";
        if (!Lines("backend").Contains("option httpchk")) yield return "the check is not by HTTP";
        if (!Lines("backend").Contains("balance leastconn")) yield return "new clients do not go where fewest are";
        if (Notices >= drainDelay) yield return $"a draining node is noticed after {Notices}, but waits {drainDelay}";
        foreach (var side in new[] { "client", "server" })
        {
            var timeout = Lines("defaults").FirstOrDefault(line => line.StartsWith($"timeout {side} ", StringComparison.Ordinal));
            if (timeout is null || Time(timeout.Split(' ')[2]) < LongestSilence) yield return $"timeout {side} cuts clients with a long keep alive";
        }
    }

    private static TimeSpan Time(string text)
    {
        var match = TimeText().Match(text);
        var value = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "h" => TimeSpan.FromHours(value),
            "m" => TimeSpan.FromMinutes(value),
            "s" => TimeSpan.FromSeconds(value),
            _ => TimeSpan.FromMilliseconds(value),
        };
    }

    private IEnumerable<string> Lines(string section) =>
        Sections.Where(candidate => candidate.Name.Split(' ')[0] == section).SelectMany(candidate => candidate.Lines);

    [GeneratedRegex(@"^server \S+ ([\w.-]+):(\d+)")]
    private static partial Regex ServerLine();

    [GeneratedRegex(@"\bcheck port (\d+) inter (\S+) fall (\d+)")]
    private static partial Regex CheckLine();

    [GeneratedRegex(@"^(\d+)(\w*)$")]
    private static partial Regex TimeText();
}
