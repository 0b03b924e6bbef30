// A pool of connections that builds each message for its recipient, with Go's standard library.
//
// pool PORT LETTERS BYTES
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"mime"
	"mime/multipart"
	"net/smtp"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"
)

const connections = 10
const sentence = "Гэта сказ сярэдняй даўжыні, напісаны толькі дзеля таго, каб ліст меў патрэбны памер. "

var page = template.Must(template.New("page").Parse(
	"<html lang='be'><body>{{range .Parts}}<p>{{.}}</p>{{end}}" +
		"<a href='https://news.example.org/unsubscribe/{{.Token}}'>Адпісацца</a></body></html>"))

type reader struct {
	Parts []string
	Token string
}

func part(to *multipart.Writer, kind string, text []byte) {
	head := textproto.MIMEHeader{}
	head.Set("Content-Type", kind+"; charset=utf-8")
	head.Set("Content-Transfer-Encoding", "base64")
	into, _ := to.CreatePart(head)
	encoded := base64.StdEncoding.EncodeToString(text)
	for len(encoded) > 76 {
		fmt.Fprintf(into, "%s\r\n", encoded[:76])
		encoded = encoded[76:]
	}
	fmt.Fprintf(into, "%s\r\n", encoded)
}

func letter(number int, parts []string) []byte {
	one := reader{parts, fmt.Sprintf("%040d", number)}
	var html, body bytes.Buffer
	if err := page.Execute(&html, one); err != nil {
		panic(err)
	}
	both := multipart.NewWriter(&body)
	text := strings.Join(parts, "\n\n") + "\n\nhttps://news.example.org/unsubscribe/" + one.Token
	part(both, "text/plain", []byte(text))
	part(both, "text/html", html.Bytes())
	both.Close()
	var made bytes.Buffer
	fmt.Fprintf(&made, "From: news@example.org\r\nTo: reader%d@example.org\r\n", number)
	fmt.Fprintf(&made, "Subject: %s\r\n", mime.BEncoding.Encode("utf-8", "Тыднёвы выпуск"))
	fmt.Fprintf(&made, "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=%s\r\n\r\n",
		both.Boundary())
	made.Write(body.Bytes())
	return made.Bytes()
}

func line(port string, numbers <-chan int, parts []string) error {
	client, err := smtp.Dial("127.0.0.1:" + port)
	if err != nil {
		return err
	}
	defer client.Close()
	for number := range numbers {
		made := letter(number, parts)
		if err := client.Mail("news@example.org"); err != nil {
			return err
		}
		if err := client.Rcpt(fmt.Sprintf("reader%d@example.org", number)); err != nil {
			return err
		}
		into, err := client.Data()
		if err != nil {
			return err
		}
		if _, err := into.Write(made); err != nil {
			return err
		}
		if err := into.Close(); err != nil {
			return err
		}
	}
	return client.Quit()
}

func main() {
	letters, _ := strconv.Atoi(os.Args[2])
	size, _ := strconv.Atoi(os.Args[3])
	paragraph := strings.Repeat(sentence, 5)
	parts := make([]string, max(1, size/(len(paragraph)*8/3)))
	for at := range parts {
		parts[at] = paragraph
	}
	numbers := make(chan int)
	var all sync.WaitGroup
	for range connections {
		all.Add(1)
		go func() {
			defer all.Done()
			if err := line(os.Args[1], numbers, parts); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}()
	}
	for number := range letters {
		numbers <- number
	}
	close(numbers)
	all.Wait()
}
