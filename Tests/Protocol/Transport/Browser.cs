using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Broker.Tests.Cluster.Harness;
using Broker.Tests.Protocol.Harness;

namespace Broker.Tests.Protocol.Transport;

/// <summary>Chromium without a window, started when it is first needed, and the web server whose pages it opens.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private static readonly string[] Programs = ["chromium", "chromium-browser", "google-chrome"];
    private readonly string folder = Directory.CreateTempSubdirectory("broker-browser-").FullName;
    private readonly StringBuilder output = new();
    private readonly ConcurrentQueue<string> pages = new();
    private readonly ConcurrentDictionary<string, string> results = new();
    private readonly WebService web;
    private Process? process;
    private int lastId;

    public Browser() => web = new WebService(Answer);

    /// <summary>The port of the pages.</summary>
    public int Port => web.Port;

    /// <summary>Opens a page that drives the broker.</summary>
    /// <param name="host">Under which name the page is got: with it its origin changes.</param>
    /// <param name="url">The broker's.</param>
    /// <param name="key">Base64 of SHA-256 of the one public key it trusts; of the first call.</param>
    /// <returns>`ok`, with the extensions of WebSocket that were agreed, or how it failed.</returns>
    public async Task<string> RunAsync(string host, string url, int level, string root, string key)
    {
        if (process is null) await StartAsync(key);
        var id = $"{++lastId}";
        pages.Enqueue($"http://{host}:{Port}/page?id={id}&level={level}&root={root}&url={Uri.EscapeDataString(url)}");
        await Wait.UntilAsync(() => results.ContainsKey(id) || process!.HasExited, () => $"the result of {url}. The browser wrote:\n{Output()}");
        return results.TryGetValue(id, out var result) ? result : $"the browser ended. It wrote:\n{Output()}";
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        await web.DisposeAsync();
        await Wait.UntilAsync(TryDelete, "the browser's folder is gone");
    }

    private static string Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).SelectMany(place => Programs.Select(program => Path.Combine(place, program))).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException("This test needs a browser that is not installed: apt-get install chromium");

    private async Task StartAsync(string key)
    {
        await web.StartAsync();
        var start = new ProcessStartInfo(
            Find(),
            [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run",
                $"--user-data-dir={folder}", $"--ignore-certificate-errors-spki-list={key}", $"http://localhost:{Port}/",
            ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOME"] = folder;
        process = Process.Start(start)!;
        process.OutputDataReceived += Note;
        process.ErrorDataReceived += Note;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private void Note(object sender, DataReceivedEventArgs line)
    {
        lock (output) output.AppendLine(line.Data);
    }

    private string Output()
    {
        lock (output) return output.ToString();
    }

    private WebAnswer Answer(WebRequest request)
    {
        switch (request.Target.Split('?')[0])
        {
            case "/": return Text(ExternalClient.Script("browser_driver.html"));
            case "/next": return new(200, pages.TryDequeue(out var page) ? page : "");
            case "/page": return Text(ExternalClient.Script("browser_page.html"));
            case "/mqttjs_conversation.js": return Text(ExternalClient.Script("mqttjs_conversation.js"));
            case "/mqtt.min.js": return Text(Path.Combine(ExternalClient.MqttJs, "dist", "mqtt.min.js"));
            case "/result":
                results[request.Target.Split("id=")[1]] = request.Body;
                return new(200);
            default: return new(404);
        }
    }

    private static WebAnswer Text(string file) => new(200, File.ReadAllText(file), ContentType: file.EndsWith(".js", StringComparison.Ordinal) ? "text/javascript" : "text/html");

    /// <summary>Its processes end by and by, and may write until then.</summary>
    private bool TryDelete()
    {
        try
        {
            Directory.Delete(folder, recursive: true);
            return true;
        }
        catch (IOException)
        {
            return !Directory.Exists(folder);
        }
    }
}
